"""Lines that win no dispute: too early, too much, guessed, or about one that is lost."""

from datetime import timedelta
from typing import Any

import pytest

from payments.models import Payment
from payments.services.disputes import lose_dispute, win_dispute
from reconciliation.errors import NotMatchable
from reconciliation.exports import discrepancy_rows
from reconciliation.models import StatementLine
from reconciliation.services.hand_matching import match_by_hand
from reconciliation.services.runs import match_arrivals, reconcile
from tests.support.reports import charge, load, report
from tests.support.won_disputes import (
    GATEWAY,
    WHY,
    given_back,
    later,
    open_items,
    opened,
    payment,
    reconciled,
    states,
    taken,
)

__all__ = ["payment"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


def test_a_line_that_came_before_its_dispute_belongs_to_nobody_until_then(processor, payment):
    load(processor, report(given_back(payment)))
    assert match_arrivals() is not None
    assert opened() == []
    reconciled(payment)
    assert ("orphan_line", "txn_3", "40.00") in opened()

    load(processor, report(charge(payment, "txn_1"), taken(payment)))
    assert match_arrivals() is not None

    assert (opened(), open_items(), states()) == ([], [], ["WON"])


def test_other_money_than_was_taken_wins_nothing(processor, payment):
    back = given_back(payment, amount="30.00")
    load(processor, report(charge(payment, "txn_1"), taken(payment), back))

    reconciled(payment)

    assert opened() == [("orphan_line", "txn_3", "30.00")]
    assert states() == ["OPEN"]
    assert open_items() == [("txn_3", "-30.00")]

    win_dispute(payment.disputes.get(), effective_at=later(payment, 1), actor=GATEWAY)
    reconciled(payment)

    reference = payment.disputes.get().reference
    assert opened() == [("amount_mismatch", reference, "-10.00")]
    assert open_items() == [(reference, "10.00")]
    (row,) = discrepancy_rows(run=None, as_of=payment.settlement_due_on)
    assert (row["expected"], row["actual"], row["open_amount"]) == (
        "40.00 EUR",
        "30.00 EUR",
        "10.00",
    )


def test_a_lost_dispute_is_not_won_by_a_line(processor, payment):
    load(processor, report(charge(payment, "txn_1"), taken(payment)))
    reconciled(payment)
    lose_dispute(payment.disputes.get(), actor=GATEWAY)
    load(processor, report(given_back(payment)))

    reconciled(payment)

    assert opened() == [("orphan_line", "txn_3", "40.00")]
    line = StatementLine.objects.get(external_id="txn_3")
    with pytest.raises(NotMatchable, match="it is LOST"):
        match_by_hand(line, payment.disputes.get(), **WHY)


def two_disputes(payment: Payment, processor: Any, *, days_apart: int) -> None:
    """Each of 40.00, and then 40.00 come back."""
    second = later(payment, days_apart)
    on = {"created_utc": f"{second:%Y-%m-%d %H:%M:%S}"}
    rows = [charge(payment, "txn_1"), taken(payment), taken(payment, "txn_4", **on)]
    load(processor, report(*rows))


def test_which_of_two_disputes_is_won_is_not_guessed(processor, payment):
    two_disputes(payment, processor, days_apart=0)
    load(processor, report(given_back(payment)))

    reconciled(payment)

    assert states() == ["OPEN", "OPEN"]
    assert (opened(), open_items()) == ([], [("txn_3", "-40.00")])

    _, second = payment.disputes.order_by("pk")
    win_dispute(second, effective_at=later(payment, 1), actor=GATEWAY)
    reconciled(payment)

    assert states() == ["OPEN", "WON"]
    assert (opened(), open_items()) == ([], [])


def test_what_came_back_was_taken_before(processor, payment):
    two_disputes(payment, processor, days_apart=3)
    load(processor, report(given_back(payment)))

    reconciled(payment)

    assert states() == ["WON", "OPEN"]
    assert (opened(), open_items()) == ([], [])


def test_money_of_a_won_dispute_that_does_not_come_is_pending_and_then_missing(processor, payment):
    load(processor, report(charge(payment, "txn_1"), taken(payment)))
    reconciled(payment)
    dispute = payment.disputes.get()
    won_on = later(payment, 40)
    win_dispute(dispute, effective_at=won_on, actor=GATEWAY)

    reconcile(as_of=won_on.date())
    assert opened() == [("settlement_pending", dispute.reference, "40.00")]
    run = reconcile(as_of=won_on.date() + timedelta(days=20))
    assert opened() == [("dispute_not_in_settlement", dispute.reference, "40.00")]
    (row,) = (each for each in discrepancy_rows(run=None, as_of=run.as_of))
    assert (row["open_amount"], row["age_days"]) == ("40.00", 20)

    load(processor, report(given_back(payment)))
    reconcile(as_of=run.as_of)
    assert (opened(), open_items()) == ([], [])
