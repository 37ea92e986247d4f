"""Locked querysets by name. The lock order of the whole system is in docs/architecture.md."""

from collections.abc import Iterable

from django.db import connection

from payments.models import ApiKey, Dispute, Merchant, Payment, Transfer, WebhookEndpoint

CLAIM_DELIVERIES_LOCK = 7_006  # advisory; never reuse or renumber


def lock_merchant(pk: int) -> Merchant:
    """Whoever opens something under a code of its choice waits here for the others."""
    return Merchant.objects.select_for_update(no_key=True).get(pk=pk)


def lock_payment(pk: int) -> Payment:
    return (
        Payment.objects.select_for_update(of=("self",))
        .select_related("merchant", "gateway")
        .get(pk=pk)
    )


def lock_payments(pks: Iterable[int]) -> list[Payment]:
    """Locked in id order so that batches never deadlock. A list: a lazy queryset locks nothing."""
    return list(
        Payment.objects.select_for_update(of=("self",)).filter(pk__in=list(pks)).order_by("pk")
    )


def lock_transfers(pks: Iterable[int]) -> list[Transfer]:
    """Locked in id order. Those being refunded are locked before the refunds that are claimed."""
    return list(
        Transfer.objects.select_for_update(of=("self",))
        .select_related("source_account", "destination_account")
        .filter(pk__in=list(pks))
        .order_by("pk")
    )


def lock_dispute(pk: int) -> Dispute:
    return (
        Dispute.objects.select_for_update(of=("self",))
        .select_related("merchant", "payment__gateway")
        .get(pk=pk)
    )


def lock_disputes(pks: Iterable[int]) -> list[Dispute]:
    """Locked in id order so that batches never deadlock. A list: a lazy queryset locks nothing."""
    return list(
        Dispute.objects.select_for_update(of=("self",)).filter(pk__in=list(pks)).order_by("pk")
    )


def lock_api_key(pk: int) -> ApiKey:
    return ApiKey.objects.select_for_update(of=("self",)).select_related("merchant").get(pk=pk)


def lock_claiming_of_deliveries() -> None:
    """One worker at a time counts what is in hand and takes more; for milliseconds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CLAIM_DELIVERIES_LOCK])


def lock_endpoints(pks: Iterable[int]) -> list[WebhookEndpoint]:
    """Locked in id order, before their deliveries."""
    return list(
        WebhookEndpoint.objects.select_for_update(of=("self",), no_key=True)
        .select_related("merchant")
        .filter(pk__in=list(pks))
        .order_by("pk")
    )


def lock_endpoint(pk: int) -> WebhookEndpoint:
    """Not against deliveries to it being written, which only refer to it."""
    return (
        WebhookEndpoint.objects.select_for_update(of=("self",), no_key=True)
        .select_related("merchant")
        .get(pk=pk)
    )
