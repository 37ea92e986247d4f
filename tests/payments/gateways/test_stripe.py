"""Charges at Stripe: made once, whatever it answers or does not."""

import logging
from dataclasses import replace

import pytest

from ledger.money import Money
from payments.gateways.base import (
    Accepted,
    Declined,
    Unanswered,
)
from payments.gateways.environment import GatewaySecretMissing
from payments.gateways.stripe import CONCURRENT_MAX, Stripe
from tests.support.stripe_account import StripeAccount
from tests.support.stripe_requests import OLD_KEY, ask, look_up, wish
from tests.support.stripe_server import SECRET_KEY


def test_charge_is_made_and_confirmed_with_our_key(stripe_server: StripeAccount) -> None:
    request = wish()

    assert ask(request) == Accepted("pi_000001")

    intent = stripe_server.charged()
    assert (intent["amount"], intent["currency"]) == (1234, "eur")
    assert intent["metadata"] == {
        "tieout_key": request.key,
        "reference": "order-7",
        "merchant": "shop",
    }
    assert stripe_server.keys == [request.key]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("pm_card_chargeDeclined", "card_declined"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_card_data"),
        ("pm_card_chargeDeclinedLostCard", "lost_or_stolen"),
        ("pm_card_radarBlock", "fraud_suspected"),
        ("pm_card_authenticationRequired", "authentication_required"),
        ("pm_card_velocityLimitExceeded", "limit_exceeded"),
        ("pm_unheard_of", "invalid_source"),
    ],
)
def test_decline_gets_a_code_of_ours(stripe_server: StripeAccount, source: str, code: str) -> None:
    outcome = ask(wish(source=source))

    assert isinstance(outcome, Declined)
    assert outcome.code == code
    assert outcome.reason


def test_amount_above_stripes_limit_is_declined(stripe_server: StripeAccount) -> None:
    outcome = ask(wish(money=Money(100_000_000, "EUR")))

    assert outcome == Declined("limit_exceeded", "Amount must be no more than 999,999.99.")


def test_amount_stripe_cannot_write_is_declined_unasked(stripe_server: StripeAccount) -> None:
    outcomes = Stripe("stripe").perform([wish(money=Money(5124, "KWD")), wish()])

    assert outcomes == [
        Declined("gateway_refused", "Stripe takes fewer decimals of KWD than 5.124."),
        Accepted("pi_000001"),
    ]


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ("500_after", "error_500"),
        ("reset_before", "no_connection"),
        ("reset_after", "no_connection"),
        ("429", "rate_limited"),
        ("malformed", "error_200"),
    ],
)
def test_lost_answer_is_no_refusal_and_repeating_charges_once(
    stripe_server: StripeAccount, trouble: str, reason: str
) -> None:
    stripe_server.trouble = [trouble]
    request = wish()

    assert ask(request) == Unanswered(reason)
    assert look_up(request) is None  # younger than Stripe's memory: repeating it is the question
    assert ask(request) == Accepted("pi_000001")
    assert len(stripe_server.intents) == 1


@pytest.mark.parametrize("trouble", ["hang_before", "hang_after"])
def test_answer_that_comes_late_is_unknown_by_the_wall_clock(
    stripe_server: StripeAccount, trouble: str
) -> None:
    stripe_server.trouble = [trouble]
    request = wish()

    assert Stripe("stripe", deadline_seconds=1).perform([request]) == [Unanswered("timeout")]
    assert ask(request) == Accepted("pi_000001")
    assert len(stripe_server.intents) == 1


def test_error_that_stripe_keeps_is_overcome_by_its_index(stripe_server: StripeAccount) -> None:
    stripe_server.trouble = ["500_kept"]
    request = wish()

    assert ask(request) == Unanswered("error_500")
    stripe_server.searchable = False
    assert ask(request) == Unanswered("error_kept")
    stripe_server.searchable = True
    assert ask(request) == Accepted("pi_000001")
    assert len(stripe_server.intents) == 1


def test_old_charge_is_found_by_the_index_and_not_made_again(stripe_server: StripeAccount) -> None:
    request = wish(key=OLD_KEY)
    ask(request)
    stripe_server.forget_keys()

    assert look_up(request) == Accepted("pi_000001")


def test_old_charge_that_never_arrived_is_made(stripe_server: StripeAccount) -> None:
    assert look_up(wish(key=OLD_KEY)) is None


def test_failing_lookup_is_not_mistaken_for_never_seen(
    stripe_server: StripeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_STRIPE_SECRET_KEY", "sk_of_somebody_else")

    assert look_up(wish(key=OLD_KEY)) == Unanswered("key_refused")


def test_two_charges_under_one_key_are_for_a_person(
    stripe_server: StripeAccount, caplog: pytest.LogCaptureFixture
) -> None:
    request = wish(key=OLD_KEY)
    ask(request)
    stripe_server.forget_keys()
    ask(request)

    assert look_up(request) == Unanswered("contradiction")
    assert "stripe.contradiction" in caplog.text


def test_processing_is_unknown_until_stripe_says_more(stripe_server: StripeAccount) -> None:
    request = wish(source="pm_processing")

    assert ask(request) == Unanswered("processing")
    assert ask(request) == Unanswered("processing")
    stripe_server.charged("pm_processing").update(status="succeeded", amount_received=1234)
    assert ask(request) == Accepted("pi_000001")  # not what was answered first


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 1235},
        {"currency": "usd"},
        {"amount_received": 1233},
        {"metadata": {"tieout_key": "pay_of_another"}},
        {"status": "requires_capture"},
        {"status": "unheard_of"},
    ],
)
def test_answer_about_something_else_is_unknown_and_loud(
    stripe_server: StripeAccount, caplog: pytest.LogCaptureFixture, change: dict[str, object]
) -> None:
    stripe_server.changes = change

    assert ask(wish()) == Unanswered("contradiction")
    assert "stripe.contradiction" in caplog.text


def test_key_used_for_another_request_is_unknown_and_loud(
    stripe_server: StripeAccount, caplog: pytest.LogCaptureFixture
) -> None:
    request = wish()
    ask(request)

    assert ask(replace(request, money=Money(999, "EUR"))) == Unanswered("request_refused")
    assert "stripe.request_refused" in caplog.text


def test_refused_secret_fails_no_payment(
    stripe_server: StripeAccount, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("GATEWAY_STRIPE_SECRET_KEY", "sk_of_somebody_else")

    assert ask(wish()) == Unanswered("key_refused")
    assert "stripe.key_refused" in caplog.text
    assert "sk_of_somebody_else" not in caplog.text


def test_gateway_without_secret_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEWAY_STRIPE_EU_SECRET_KEY", raising=False)

    with pytest.raises(GatewaySecretMissing, match="GATEWAY_STRIPE_EU_SECRET_KEY"):
        Stripe("stripe-eu")


def test_secret_is_in_no_log_line(
    stripe_server: StripeAccount, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    ask(wish())

    assert SECRET_KEY not in caplog.text


def test_calls_run_at_once_but_not_all_of_them(stripe_server: StripeAccount) -> None:
    stripe_server.pause_seconds = 1

    outcomes = Stripe("stripe").perform([wish() for _ in range(CONCURRENT_MAX + 4)])

    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert len({outcome.gateway_reference for outcome in outcomes}) == CONCURRENT_MAX + 4
    assert 1 < stripe_server.at_once_max <= CONCURRENT_MAX


def test_what_does_not_fit_before_the_deadline_is_unknown(stripe_server: StripeAccount) -> None:
    stripe_server.pause_seconds = 2

    outcomes = Stripe("stripe", deadline_seconds=1).perform([wish(), wish()])

    assert outcomes == [Unanswered("timeout"), Unanswered("timeout")]
