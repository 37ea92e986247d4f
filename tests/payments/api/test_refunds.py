"""POST and GET /payments/{id}/refunds, GET /refunds/{id}."""

import pytest
from django.utils.dateparse import parse_datetime

from payments.models import Merchant, Payment, Refund
from tests.factories import PaymentFactory, RefundFactory, SucceededPaymentFactory, eur
from tests.support.api import Api, assert_problem


@pytest.fixture
def payment(shop: Merchant) -> Payment:
    return SucceededPaymentFactory(merchant=shop, money=eur("100.00"))


def test_refund_is_accepted_with_every_field(api: Api, payment: Payment) -> None:
    response = api.post(
        f"/payments/{payment.public_id}/refunds",
        {"amount": "30.00", "reason": "Too sour", "reference": "return-1"},
    )

    made = Refund.objects.get()
    body = response.json()
    assert response.status_code == 202
    assert response["Location"] == f"/api/v1/refunds/{made.public_id}"
    assert parse_datetime(body.pop("created_at")) == made.created_at
    assert parse_datetime(body.pop("updated_at")) == made.updated_at
    assert body == {
        "id": made.public_id,
        "payment_id": payment.public_id,
        "status": "PENDING",
        "amount": "30.00",
        "currency": "EUR",
        "fee_returned": "0.00",
        "reference": "return-1",
        "reason": "Too sour",
        "failure_code": None,
        "failure_reason": None,
        "created_by": "api_key:web shop",
    }


def test_refund_without_an_amount_is_all_that_is_left(api: Api, payment: Payment) -> None:
    api.post(f"/payments/{payment.public_id}/refunds", {"amount": "30.00"})

    response = api.post(f"/payments/{payment.public_id}/refunds", {})

    assert (response.status_code, response.json()["amount"]) == (202, "70.00")


def test_refund_of_too_much_is_refused(api: Api, payment: Payment) -> None:
    response = api.post(f"/payments/{payment.public_id}/refunds", {"amount": "100.01"})

    assert_problem(response, 422, "amount_exceeds_refundable")
    assert not Refund.objects.exists()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"amount": 30}, "amount_ambiguous"),
        ({"amount": "1e1"}, "invalid_amount"),
        ({"amount": "0.001"}, "invalid_amount"),
        ({"amount": "0"}, "amount_out_of_range"),
        ({"amount": "-1.00"}, "amount_out_of_range"),
        ({"amount": None}, "invalid_request"),
        ({"amount": True}, "invalid_request"),
        ({"amount": "1.00", "currency": "USD"}, "currency_mismatch"),
        ({"amount": "1.00", "currency": "ZZZ"}, "currency_unsupported"),
        ({"amout": "1.00"}, "unknown_field"),
        ({"reason": "r" * 256}, "invalid_request"),
        ({"reason": "4111111111111111"}, "card_number_refused"),
    ],
)
def test_refund_that_makes_no_sense_is_refused(
    api: Api, payment: Payment, fields: dict[str, object], code: str
) -> None:
    response = api.post(f"/payments/{payment.public_id}/refunds", fields)

    assert_problem(response, 422, code)
    payment.refresh_from_db()
    assert (payment.amount_refunded, Refund.objects.count()) == (0, 0)


def test_payment_that_did_not_succeed_is_a_conflict(api: Api, shop: Merchant) -> None:
    waiting = PaymentFactory(merchant=shop)

    response = api.post(f"/payments/{waiting.public_id}/refunds", {})

    assert_problem(response, 409, "payment_not_refundable")


def test_key_is_required(api: Api, payment: Payment) -> None:
    response = api.post(f"/payments/{payment.public_id}/refunds", {}, key=None)

    assert_problem(response, 400, "idempotency_key_missing")


def test_same_key_gives_the_same_answer(api: Api, payment: Payment) -> None:
    path = f"/payments/{payment.public_id}/refunds"
    first = api.post(path, {"amount": "30.00"}, key="r1")

    again = api.post(path, {"amount": "30.00"}, key="r1")
    other = api.post(path, {"amount": "30.01"}, key="r1")

    assert (again.status_code, again.content) == (202, first.content)
    assert again["Idempotent-Replayed"] == "true"
    assert_problem(other, 422, "idempotency_key_reused")
    assert Refund.objects.count() == 1


def test_key_of_a_payment_may_be_used_for_a_refund(api: Api, payment: Payment) -> None:
    paid = api.pay(key="k1")

    response = api.post(f"/payments/{payment.public_id}/refunds", {}, key="k1")

    assert (paid.status_code, response.status_code) == (202, 202)


def test_refunds_of_a_payment_are_listed(api: Api, payment: Payment, shop: Merchant) -> None:
    first, second = (RefundFactory(payment=payment, money=eur("10.00")) for _ in range(2))
    RefundFactory(payment=SucceededPaymentFactory(merchant=shop))

    page = api.get(f"/payments/{payment.public_id}/refunds").json()

    assert [refund["id"] for refund in page["results"]] == [second.public_id, first.public_id]
    assert (page["has_more"], page["next_cursor"]) == (False, None)


def test_one_refund_is_shown(api: Api, payment: Payment) -> None:
    made = RefundFactory(payment=payment, money=eur("10.00"))

    body = api.get(f"/refunds/{made.public_id}").json()

    assert (body["id"], body["payment_id"]) == (made.public_id, payment.public_id)
    assert (body["amount"], body["status"]) == ("10.00", "PENDING")
