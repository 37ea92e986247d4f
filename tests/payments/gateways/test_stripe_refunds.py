"""Refunds at Stripe: in parts, once, and found again when an answer was lost."""

import pytest

from ledger.money import Money
from payments.gateways.base import (
    Accepted,
    Action,
    Declined,
    Unanswered,
)
from tests.support.stripe_account import StripeAccount
from tests.support.stripe_requests import OLD_KEY, ask, look_up, wish


def test_refunds_in_parts_never_above_the_charge(stripe_server: StripeAccount) -> None:
    ask(wish())
    parts = [
        wish(Action.REFUND, Money(amount, "EUR"), parent="pi_000001") for amount in (1000, 234)
    ]

    assert [ask(part) for part in parts] == [Accepted("re_000002"), Accepted("re_000003")]
    outcome = ask(wish(Action.REFUND, Money(1, "EUR"), parent="pi_000001"))
    assert outcome == Declined("refund_declined", "The charge has already been refunded.")


@pytest.mark.parametrize("trouble", ["500_after", "reset_after", "500_kept"])
def test_refund_whose_answer_was_lost_is_made_once(
    stripe_server: StripeAccount, trouble: str
) -> None:
    ask(wish())
    refund = wish(Action.REFUND, parent="pi_000001")
    stripe_server.trouble = [trouble]

    assert isinstance(ask(refund), Unanswered)
    assert ask(refund) == Accepted("re_000002")
    assert len(stripe_server.refunds) == 1


def test_old_refund_is_found_in_the_list_of_its_payment(stripe_server: StripeAccount) -> None:
    ask(wish())
    refund = wish(Action.REFUND, key=OLD_KEY.replace("pay", "re"), parent="pi_000001")
    assert look_up(refund) is None
    ask(refund)
    stripe_server.forget_keys()

    assert look_up(refund) == Accepted("re_000002")


def test_pending_refund_is_unknown_and_a_failed_one_declined(stripe_server: StripeAccount) -> None:
    ask(wish())
    refund = wish(Action.REFUND, parent="pi_000001")
    stripe_server.changes = {"status": "pending"}
    assert ask(refund) == Unanswered("pending")

    stripe_server.changes = {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    outcome = ask(refund)

    assert outcome == Declined("refund_declined", "Stripe says: expired_or_canceled_card.")
