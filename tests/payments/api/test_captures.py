"""POST /payments/{id}/capture and /payments/{id}/cancel."""

import pytest

from payments.models import Merchant, Payment
from payments.services.processing import process_payments
from tests.factories import (
    AuthorizedPaymentFactory,
    PaymentFactory,
    SucceededPaymentFactory,
    eur,
)
from tests.support.api import Api, assert_problem


@pytest.fixture
def payment(shop: Merchant) -> Payment:
    return AuthorizedPaymentFactory(merchant=shop, money=eur("100.00"))


def test_payment_is_authorised_captured_in_part_and_the_rest_released(api: Api) -> None:
    made = api.pay(capture="manual").json()
    process_payments()
    path = f"/payments/{made['id']}"
    assert api.get(path).json()["status"] == "AUTHORIZED"

    response = api.post(f"{path}/capture", {"amount": "60.00"})
    assert (response.status_code, response.json()["status"]) == (202, "AUTHORIZED")
    assert response["Location"] == f"/api/v1{path}"
    process_payments()

    body = api.get(path).json()
    assert (body["status"], body["amount"]) == ("SUCCEEDED", "100.00")
    assert (body["amount_captured"], body["fee"]) == ("60.00", "2.04")
    refused = api.post(f"{path}/refunds", {"amount": "60.01"})
    assert_problem(refused, 422, "amount_exceeds_refundable")


def test_capture_without_an_amount_is_all_of_it(api: Api, payment: Payment) -> None:
    api.post(f"/payments/{payment.public_id}/capture", {})
    process_payments()

    body = api.get(f"/payments/{payment.public_id}").json()
    assert (body["status"], body["amount_captured"]) == ("SUCCEEDED", "100.00")


def test_canceled_payment_moves_nothing(api: Api, payment: Payment) -> None:
    response = api.post(f"/payments/{payment.public_id}/cancel", {})
    process_payments()

    body = api.get(f"/payments/{payment.public_id}").json()
    assert (response.status_code, response.json()["status"]) == (202, "AUTHORIZED")
    assert (body["status"], body["amount_captured"], body["fee"]) == ("CANCELED", "0.00", "0.00")


@pytest.mark.parametrize("action", ["capture", "cancel"])
def test_same_key_gives_the_same_answer(api: Api, payment: Payment, action: str) -> None:
    path = f"/payments/{payment.public_id}/{action}"
    first = api.post(path, {}, key="c1")
    process_payments()

    again = api.post(path, {}, key="c1")
    other = api.post(path, "{ }", key="c1")

    assert (again.status_code, again.content) == (202, first.content)
    assert again["Idempotent-Replayed"] == "true"
    assert_problem(other, 422, "idempotency_key_reused")


@pytest.mark.parametrize("action", ["capture", "cancel"])
def test_key_is_required(api: Api, payment: Payment, action: str) -> None:
    response = api.post(f"/payments/{payment.public_id}/{action}", {}, key=None)

    assert_problem(response, 400, "idempotency_key_missing")


def test_second_request_is_a_conflict(api: Api, payment: Payment) -> None:
    path = f"/payments/{payment.public_id}"
    api.post(f"{path}/capture", {"amount": "60.00"})

    assert_problem(api.post(f"{path}/capture", {"amount": "40.00"}), 409, "already_requested")
    assert_problem(api.post(f"{path}/cancel", {}), 409, "already_requested")
    process_payments()
    assert_problem(api.post(f"{path}/capture", {}), 409, "payment_not_authorized")


def test_refused_capture_does_not_burn_its_key(api: Api, payment: Payment) -> None:
    path = f"/payments/{payment.public_id}/capture"
    assert_problem(api.post(path, {"amount": "100.01"}, key="c1"), 422, "amount_exceeds_authorized")

    assert api.post(path, {"amount": "100.00"}, key="c1").status_code == 202


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"amount": 60}, "amount_ambiguous"),
        ({"amount": "0.00"}, "amount_out_of_range"),
        ({"amount": "-1.00"}, "amount_out_of_range"),
        ({"amount": "1.000"}, "invalid_amount"),
        ({"amount": "1.00", "currency": "USD"}, "currency_mismatch"),
        ({"amout": "1.00"}, "unknown_field"),
    ],
)
def test_capture_that_makes_no_sense_is_refused(
    api: Api, payment: Payment, fields: dict[str, object], code: str
) -> None:
    assert_problem(api.post(f"/payments/{payment.public_id}/capture", fields), 422, code)

    payment.refresh_from_db()
    assert payment.amount_to_capture is None


@pytest.mark.parametrize("action", ["capture", "cancel"])
def test_only_an_authorised_payment_is_captured_or_canceled(
    api: Api, shop: Merchant, action: str
) -> None:
    for other in (SucceededPaymentFactory(merchant=shop), PaymentFactory(merchant=shop)):
        response = api.post(f"/payments/{other.public_id}/{action}", {})
        assert_problem(response, 409, "payment_not_authorized")


@pytest.mark.parametrize("action", ["capture", "cancel"])
def test_payment_of_another_shop_is_not_there(api: Api, action: str) -> None:
    theirs = AuthorizedPaymentFactory()

    response = api.post(f"/payments/{theirs.public_id}/{action}", {})

    assert_problem(response, 404, "payment_not_found")
    theirs.refresh_from_db()
    assert (theirs.amount_to_capture, theirs.cancel_requested_at) == (None, None)
