"""Adjustments take two people and join the next batch."""

import pytest

from ledger.errors import InvalidTransition
from ledger.models import AuditEvent, JournalEntry
from ledger.services.audit import ReasonMissing
from settlements.errors import ApproverIsRequester
from settlements.models import Adjustment
from settlements.services.adjustments import (
    approve_adjustment,
    refuse_adjustment,
    request_adjustment,
)
from settlements.services.batches import run_settlement
from tests.factories import (
    MerchantFactory,
    eur,
)
from tests.support.books import t_accounts
from tests.support.closing import CHECKER, MAKER, SYSTEM, refused, run_sql

# --- Adjustments -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_adjustment_needs_two_people_and_joins_the_next_batch(books: None) -> None:
    merchant = MerchantFactory(code="shop")
    asked = request_adjustment(merchant, eur("-7.50"), reason="double credit", actor=MAKER)
    with pytest.raises(ApproverIsRequester):
        approve_adjustment(asked, actor=MAKER)
    assert not JournalEntry.objects.exists()

    posted = approve_adjustment(asked, actor=CHECKER)
    (batch,) = run_settlement(posted.effective_at.date(), actor=SYSTEM)

    assert t_accounts(asked.public_id) == [
        ("debit", "merchant:shop:payable:EUR", 7_50),
        ("credit", "income:differences:EUR", 7_50),
    ]
    assert (batch.net, batch.payout_amount, batch.carried_out) == (-7_50, 0, -7_50)
    assert batch.lines.get().adjustment == posted
    actions = AuditEvent.objects.filter(subject=asked.public_id).order_by("pk")
    assert [event.action for event in actions] == ["adjustment.requested", "adjustment.approved"]
    with pytest.raises(InvalidTransition):
        approve_adjustment(asked, actor=CHECKER)


@pytest.mark.django_db
def test_refused_adjustment_moves_nothing(books: None) -> None:
    asked = request_adjustment(MerchantFactory(), eur("7.50"), reason="a wish", actor=MAKER)
    with pytest.raises(ReasonMissing):
        refuse_adjustment(asked, actor=CHECKER, reason=" ")

    refuse_adjustment(asked, actor=CHECKER, reason="no")

    assert not JournalEntry.objects.exists()
    with pytest.raises(InvalidTransition):
        approve_adjustment(asked, actor=CHECKER)


@pytest.mark.django_db
def test_what_is_approved_is_what_was_asked_for() -> None:
    asked = request_adjustment(MerchantFactory(), eur("7.50"), reason="goodwill", actor=MAKER)

    with refused("ledger_append_only"):
        run_sql("UPDATE settlements_adjustment SET amount = 750000")
    with refused("settlements_adjustment_four_eyes"):
        run_sql("UPDATE settlements_adjustment SET status = 'POSTED', decided_by = requested_by")
    approve_adjustment(asked, actor=CHECKER)
    with refused("ledger_append_only"):
        run_sql("UPDATE settlements_adjustment SET status = 'REFUSED'")
    assert Adjustment.objects.get().amount == 7_50
