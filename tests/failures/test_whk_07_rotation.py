"""WHK-07: while a secret is being changed, both sign; then the new one alone."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from payments.models import ParkedWork, WebhookDelivery, WebhookEndpoint
from payments.services import webhook_secrets
from payments.services.webhook_deliveries import deliver_webhooks
from payments.services.webhook_endpoints import rotate_secret
from payments.services.webhook_secrets import SecretUnreadable, new_secret, seal, unseal
from payments.work import FAILURES_MAX
from tests.factories import MerchantFactory
from tests.support.receivers import ACTOR, Received, happen, listening, receiver


def is_signed(got: Received, secret: str) -> bool:
    try:
        Webhook(secret).verify(got.body, got.headers)
    except WebhookVerificationError:
        return False
    return True


def test_whk_07_both_secrets_sign_during_the_overlap_and_one_after_it(db: None) -> None:
    merchant = MerchantFactory()
    with receiver() as shop:
        endpoint, first = listening(merchant, shop.url)
        _, second = rotate_secret(endpoint, actor=ACTOR)
        for overlap_is_over in (False, True):
            if overlap_is_over:
                WebhookEndpoint.objects.update(previous_secret_until=timezone.now())
            happen(merchant)
            deliver_webhooks()

    during, after = shop.received
    assert len(during.headers["webhook-signature"].split(" ")) == 2
    assert (is_signed(during, first), is_signed(during, second)) == (True, True)
    assert len(after.headers["webhook-signature"].split(" ")) == 1
    assert (is_signed(after, first), is_signed(after, second)) == (False, True)


def test_whk_07_without_an_overlap_the_old_secret_ends_at_once(db: None) -> None:
    merchant = MerchantFactory()
    with receiver() as shop:
        endpoint, first = listening(merchant, shop.url)
        _, second = rotate_secret(endpoint, overlap_hours=0, actor=ACTOR)
        happen(merchant)
        deliver_webhooks()

    (got,) = shop.received
    assert (is_signed(got, first), is_signed(got, second)) == (False, True)


def test_secrets_are_random_and_long_enough() -> None:
    made = {new_secret() for _ in range(100)}

    assert len(made) == 100
    assert {len(Webhook(secret)._whsecret) for secret in made} == {32}


def test_secret_is_not_in_the_database(db: None) -> None:
    endpoint, secret = listening(MerchantFactory(), "http://127.0.0.1:9/")
    kept = bytes(WebhookEndpoint.objects.get(pk=endpoint.pk).secret)

    assert secret.encode() not in kept
    assert seal(secret) != seal(secret)
    assert unseal(kept) == secret


def test_sealing_key_can_be_changed_and_old_ones_still_open(settings: LazySettings) -> None:
    secret = new_secret()
    settings.WEBHOOK_SECRETS_KEYS = ["old " * 8]
    sealed = seal(secret)
    settings.WEBHOOK_SECRETS_KEYS = ["new " * 8, "old " * 8]

    assert unseal(sealed) == secret
    settings.WEBHOOK_SECRETS_KEYS = ["new " * 8]
    with pytest.raises(SecretUnreadable):
        unseal(sealed)
    settings.WEBHOOK_SECRETS_KEYS = []
    with pytest.raises(SecretUnreadable):
        unseal(sealed)
    with pytest.raises(SecretUnreadable):
        unseal(b"")


def test_delivery_that_cannot_be_signed_is_our_failure_and_waits_for_a_person(
    db: None, settings: LazySettings
) -> None:
    merchant = MerchantFactory()
    with receiver() as shop:
        endpoint, _ = listening(merchant, shop.url)
        happen(merchant)
        settings.WEBHOOK_SECRETS_KEYS = ["another key " * 3]
        for _ in range(FAILURES_MAX):
            WebhookDelivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
            deliver_webhooks()

        assert shop.received == []
    assert ParkedWork.objects.get().problem == (
        f"{webhook_secrets.SecretUnreadable.__name__}: {SecretUnreadable()}"
    )
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None  # it is not its fault
