"""Payments and idempotency keys are of merchants and gateways that exist, and stay theirs."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection

from payments.answers import Answer
from payments.models import Gateway, IdempotencyKey, Merchant, Payment
from payments.services.gateways import define_gateway
from payments.services.idempotency import Asked, answer_once
from tests.factories import MerchantFactory, PaymentFactory
from tests.support.books import query
from tests.support.refusals import refusal_of

pytestmark = pytest.mark.django_db
NOBODY = 10**9
STRAY_PAYMENT = ("23503", "payments_payment_of_merchant_and_gateway")
STRAY_KEY = ("23503", "payments_idempotencykey_of_merchant")
FIXED = ("23001", "ledger_append_only")
# Copies of the payment there is, one for each merchant and gateway given.
COPY = """
INSERT INTO payments_payment ({columns})
SELECT {copied} FROM payments_payment
CROSS JOIN unnest(%s::bigint[], %s::bigint[]) WITH ORDINALITY AS of (merchant, gateway, number)
"""
WRITE_KEYS = """
INSERT INTO payments_idempotencykey (
    merchant_id, route, key, request_digest, request_id, http_status, location, body
) SELECT merchant, 'create_payment', 'k', '', '', 202, '', '' FROM unnest(%s::bigint[]) AS merchant
"""


def copy_statement() -> str:
    new = {
        "merchant_id": "of.merchant",
        "gateway_id": "of.gateway",
        "public_id": "'pay_' || of.number",
        "idempotency_key": "'copy ' || of.number",
        "reference": "'copy ' || of.number",
    }
    columns = [field.column for field in Payment._meta.concrete_fields if not field.primary_key]
    copied = ", ".join(new.get(column, column) for column in columns)
    return COPY.format(columns=", ".join(columns), copied=copied)


def execute(statement: str, params: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


@pytest.mark.parametrize("number_of_others", [0, 3])
def test_payment_of_nobody_is_refused_alone_and_among_others(number_of_others: int) -> None:
    payment = PaymentFactory()
    merchants = [payment.merchant_id] * number_of_others
    gateways = [payment.gateway_id] * number_of_others

    of_nobody = [[*merchants, NOBODY], [*gateways, payment.gateway_id]]
    assert refusal_of(copy_statement(), of_nobody) == STRAY_PAYMENT
    through_nothing = [[*merchants, payment.merchant_id], [*gateways, NOBODY]]
    assert refusal_of(copy_statement(), through_nothing) == STRAY_PAYMENT
    assert Payment.objects.get() == payment


def test_payments_of_several_merchants_are_written_by_one_statement() -> None:
    payment = PaymentFactory()
    other, gateway = MerchantFactory(), define_gateway("other")

    execute(copy_statement(), [[payment.merchant_id, other.pk], [gateway.pk, payment.gateway_id]])

    assert Payment.objects.get(merchant=other).gateway == payment.gateway
    assert Payment.objects.get(gateway=gateway).merchant == payment.merchant


def test_idempotency_key_of_nobody_is_refused_alone_and_among_others() -> None:
    merchant = MerchantFactory()

    assert refusal_of(WRITE_KEYS, [[NOBODY]]) == STRAY_KEY
    assert refusal_of(WRITE_KEYS, [[merchant.pk, NOBODY]]) == STRAY_KEY
    assert not IdempotencyKey.objects.exists()
    execute(WRITE_KEYS, [[merchant.pk, MerchantFactory().pk]])
    assert IdempotencyKey.objects.count() == 2


@pytest.mark.parametrize("model", [Merchant, Gateway])
def test_merchants_and_gateways_are_never_deleted_nor_given_another_id(
    model: type[Merchant] | type[Gateway],
) -> None:
    """Not even unused ones: a payment that is being written may name them."""
    PaymentFactory()
    unused = MerchantFactory() if model is Merchant else define_gateway("unused")
    table = model._meta.db_table

    assert refusal_of(f"DELETE FROM {table} WHERE id = %s", [unused.pk]) == FIXED
    assert refusal_of(f"UPDATE {table} SET id = -id WHERE id = %s", [unused.pk]) == FIXED
    model.objects.filter(pk=unused.pk).update(name="Another name")


def test_payment_and_key_stay_whose_they_are() -> None:
    payment, other, gateway = PaymentFactory(), MerchantFactory(), define_gateway("other")
    asked = Asked(payment.merchant, "create_payment", "k", b"", "req_1")
    answer_once(asked, lambda: Answer(202, b"{}"))

    for statement, pk in (
        ("UPDATE payments_payment SET merchant_id = %s", other.pk),
        ("UPDATE payments_payment SET gateway_id = %s", gateway.pk),
        ("UPDATE payments_idempotencykey SET merchant_id = %s", other.pk),
    ):
        assert refusal_of(statement, [pk]) == FIXED
    payment.description = "Said later"
    payment.save()  # which names every column


def test_keys_stay_declared_for_readers() -> None:
    declared = query(
        "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint"
        " WHERE contype = 'f' AND NOT conenforced"
        " AND conrelid IN ('payments_payment'::regclass, 'payments_idempotencykey'::regclass)"
        " ORDER BY 1, 2"
    )

    assert declared == [
        ("payments_idempotencykey", "payments_merchant"),
        ("payments_payment", "payments_gateway"),
        ("payments_payment", "payments_merchant"),
    ]
