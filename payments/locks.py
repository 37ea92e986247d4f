"""Locked querysets by name. The lock order of the whole system is in docs/architecture.md."""

from collections.abc import Iterable

from payments.models import Payment


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
