"""Authorisations at Stripe: captured once, given back, or gone."""

from datetime import UTC, datetime

import pytest

from ledger.money import Money
from payments.gateways.base import (
    Accepted,
    Action,
    Declined,
    GatewayRequest,
    Unanswered,
)
from tests.support.stripe_account import StripeAccount
from tests.support.stripe_requests import TWELVE_EUROS, ask, look_up, wish


def authorised(money: Money = TWELVE_EUROS) -> GatewayRequest:
    """The authorisation that was asked for and given."""
    request = wish(Action.AUTHORIZE, money)
    assert isinstance(ask(request), Accepted)
    return request


def capture_of(payment: GatewayRequest, amount: int) -> GatewayRequest:
    money = Money(amount, payment.money.currency)
    key = f"{payment.key}:capture:{amount}"
    return wish(Action.CAPTURE, money, key=key, parent="pi_000001")


def cancel_of(payment: GatewayRequest) -> GatewayRequest:
    return wish(Action.CANCEL, payment.money, key=f"{payment.key}:cancel", parent="pi_000001")


def test_authorisation_says_until_when(stripe_server: StripeAccount) -> None:
    outcome = ask(wish(Action.AUTHORIZE))

    assert outcome == Accepted("pi_000001", datetime.fromtimestamp(1_900_000_000, UTC))
    assert stripe_server.charged()["capture_method"] == "manual"


def test_part_of_an_authorisation_is_captured_once(stripe_server: StripeAccount) -> None:
    capture = capture_of(authorised(), 1000)

    assert look_up(capture) is None
    assert ask(capture) == Accepted("pi_000001")
    assert look_up(capture) == Accepted("pi_000001")
    assert stripe_server.charged()["amount_received"] == 1000


def test_capture_whose_answer_was_lost_is_found(stripe_server: StripeAccount) -> None:
    capture = capture_of(authorised(), 1234)
    stripe_server.trouble = ["reset_after"]

    assert ask(capture) == Unanswered("no_connection")
    assert look_up(capture) == Accepted("pi_000001")


def test_capture_of_another_amount_than_was_captured_is_loud(
    stripe_server: StripeAccount, caplog: pytest.LogCaptureFixture
) -> None:
    payment = authorised()
    ask(capture_of(payment, 1000))

    assert ask(capture_of(payment, 900)) == Unanswered("contradiction")
    assert "stripe.contradiction" in caplog.text


def test_authorisation_is_given_back(stripe_server: StripeAccount) -> None:
    cancel = cancel_of(authorised())

    assert look_up(cancel) is None
    assert ask(cancel) == Accepted("pi_000001")
    assert look_up(cancel) == Accepted("pi_000001")


def test_what_was_captured_is_not_given_back(stripe_server: StripeAccount) -> None:
    payment = authorised()
    ask(capture_of(payment, 1234))

    outcome = ask(cancel_of(payment))

    assert outcome == Declined("authorization_gone", "It was captured already.")


def test_authorisation_that_is_gone_is_not_captured(stripe_server: StripeAccount) -> None:
    payment = authorised()
    stripe_server.charged().update(status="canceled", cancellation_reason="automatic")

    outcome = ask(capture_of(payment, 1234))

    assert outcome == Declined("authorization_gone", "It ran out or was given back.")
