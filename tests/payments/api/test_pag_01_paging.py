"""PAG-01: paging while others write shows everything that was there before exactly once."""

import threading

import pytest
from django.db import connections

from payments.models import Merchant, Payment
from payments.services.payments import PaymentWish, draft_of
from tests.factories import ACTOR, ApiKeyFactory, GatewayFactory, MerchantFactory, eur
from tests.support.api import Api

PAYMENTS = 10_000


def write(shop: Merchant, numbers: range) -> list[str]:
    gateway = GatewayFactory()
    payments = []
    for number in numbers:
        wish = PaymentWish(eur("1.00"), "tok_visa")
        payment = draft_of(shop, wish, idempotency_key=f"k{number}", actor=ACTOR).as_model()
        payment.gateway = gateway
        payments.append(payment)
    return [payment.public_id for payment in Payment.objects.bulk_create(payments)]


@pytest.mark.django_db(transaction=True)
def test_pag_01_every_payment_is_listed_once_while_others_are_written() -> None:
    shop = MerchantFactory()
    api = Api(ApiKeyFactory(merchant=shop).secret)
    there_before = write(shop, range(PAYMENTS))
    is_over = threading.Event()
    written = []

    def keep_writing() -> None:
        try:
            for number in range(PAYMENTS, 2 * PAYMENTS):
                written.extend(write(shop, range(number, number + 1)))
                if is_over.wait(0.01):
                    return
        finally:
            connections.close_all()

    writer = threading.Thread(target=keep_writing, daemon=True)
    writer.start()
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get("/payments", limit="100", **({"cursor": cursor} if cursor else {})).json()
        seen += [payment["id"] for payment in page["results"]]
        cursor = page["next_cursor"]
    is_over.set()
    writer.join(30)

    assert written
    assert len(seen) == len(set(seen))
    assert set(there_before) <= set(seen) <= set(there_before) | set(written)
