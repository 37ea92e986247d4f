"""Disputes that a line, a person or the gateway wins: posted once, whichever comes first."""

from itertools import permutations

import pytest
from django.db import transaction

from ledger.models import JournalEntry
from ledger.money import Money
from payments.services.disputes import win_dispute
from reconciliation.exports import match_rows
from reconciliation.models import Match, StatementLine, UndoneMatch
from reconciliation.services.hand_matching import match_by_hand
from reconciliation.services.runs import reconcile
from reconciliation.services.undone_matches import undo_match
from tests.factories import DisputeFactory, SucceededPaymentFactory
from tests.support.books import balance
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


def test_a_line_that_gives_back_what_a_dispute_took_wins_it(processor, payment):
    load(processor, report(charge(payment, "txn_1"), taken(payment), given_back(payment)))

    reconciled(payment)

    dispute = payment.disputes.get()
    assert (dispute.status, dispute.won_at.date()) == ("WON", payment.effective_at.date())
    match = Match.objects.get(kind="won_dispute")
    assert (match.won_dispute, match.rule, match.rule_version) == (dispute, "dispute_reversal", 1)
    assert match.line.external_id == "txn_3"
    assert opened() == []
    assert open_items() == []
    # 100.00 - 1.65 - 40.00 - 15.00 + 40.00
    assert balance("clearing:sim:EUR") == "83.35"


def test_a_dispute_that_its_gateway_said_was_won_has_its_line_and_is_posted_once(
    processor, payment
):
    load(processor, report(charge(payment, "txn_1"), taken(payment)))
    reconciled(payment)
    win_dispute(payment.disputes.get(), effective_at=later(payment, 1), actor=GATEWAY)
    load(processor, report(given_back(payment)))

    reconciled(payment)

    assert Match.objects.get(kind="won_dispute").won_dispute == payment.disputes.get()
    assert JournalEntry.objects.filter(kind="dispute_won").count() == 1
    assert payment.disputes.get().won_at == later(payment, 1)
    assert (opened(), open_items()) == ([], [])


def test_the_gateway_may_say_it_after_the_line_did(processor, payment):
    load(processor, report(charge(payment, "txn_1"), taken(payment), given_back(payment)))
    reconciled(payment)

    win_dispute(payment.disputes.get(), effective_at=later(payment, 3), actor=GATEWAY)

    assert JournalEntry.objects.filter(kind="dispute_won").count() == 1
    assert open_items() == []


def test_the_merchant_has_its_money_back_and_the_fees_are_kept_or_given_back(processor, payment):
    back = given_back(payment, fee="-15.00")
    load(processor, report(charge(payment, "txn_1"), taken(payment), back))

    reconciled(payment)

    assert balance("expense:processing:EUR") == "1.65"
    assert balance("clearing:sim:EUR") == "98.35"
    assert balance(f"merchant:{payment.merchant.code}:payable:EUR") == "96.80"
    assert (opened(), open_items()) == ([], [])


@pytest.mark.parametrize("runs_between", [False, True])
def test_files_in_any_order_end_alike(processor, payment, runs_between):
    rows = {"a": charge(payment, "txn_1"), "b": taken(payment), "c": given_back(payment)}
    ends = set()
    for order in permutations(rows):
        with transaction.atomic():
            for name in order:
                load(processor, report(rows[name]), name=name)
                if runs_between:
                    reconciled(payment)
            reconciled(payment)
            assert (opened(), open_items(), states()) == ([], [], ["WON"])
            lines = Match.objects.values_list("line__external_id", "kind")
            ends.add(frozenset(lines))
            transaction.set_rollback(True)

    assert ends == {
        frozenset({("txn_1", "payment"), ("txn_2", "dispute"), ("txn_3", "won_dispute")})
    }


def test_the_first_of_two_lines_that_give_back_matches_whichever_file_came_first(
    processor, payment
):
    rows = {
        "a": charge(payment, "txn_1"),
        "b": taken(payment),
        "c": given_back(payment),
        "d": given_back(payment, "txn_4"),
    }
    hashes = set()
    for order in permutations(rows):
        with transaction.atomic():
            for name in order:
                load(processor, report(rows[name]), name=name)
            hashes.add(reconcile(as_of=payment.settlement_due_on).result_hash)
            assert opened() == [("duplicate_line", "txn_4", "40.00")]
            assert open_items() == [("txn_4", "-40.00")]
            transaction.set_rollback(True)

    assert len(hashes) == 1


def test_a_match_that_is_undone_leaves_the_dispute_won_and_both_sides_open(processor, payment):
    back = given_back(payment, fee="-15.00")
    load(processor, report(charge(payment, "txn_1"), taken(payment), back))
    reconciled(payment)
    dispute = payment.disputes.get()

    undo_match(Match.objects.get(kind="won_dispute"), **WHY)
    reconciled(payment)

    assert opened() == [
        ("dispute_not_in_settlement", dispute.reference, "40.00"),
        ("orphan_line", "txn_3", "55.00"),
    ]
    assert open_items() == [("txn_3", "-55.00"), (dispute.reference, "40.00")]
    assert balance("expense:processing:EUR") == "16.65"
    assert states() == ["WON"]
    undone = UndoneMatch.objects.get()
    assert (undone.kind, undone.subject_id) == ("won_dispute", dispute.pk)

    match_by_hand(undone.line, payment.disputes.get(), **WHY)
    reconciled(payment)
    assert (opened(), open_items()) == ([], [])
    assert balance("expense:processing:EUR") == "1.65"
    assert JournalEntry.objects.filter(kind="dispute_won").count() == 1


def test_a_person_wins_a_dispute_by_the_line_that_gives_it_back(processor, payment):
    stranger = {"payment_metadata[reference]": "NOBODYS-0001"}
    back = given_back(payment, amount="39.00", **stranger)
    load(processor, report(charge(payment, "txn_1"), taken(payment), back))
    reconciled(payment)
    assert opened() == [("orphan_line", "txn_3", "39.00")]

    line = StatementLine.objects.get(external_id="txn_3")
    match_by_hand(line, payment.disputes.get(), **WHY)
    reconciled(payment)

    dispute = payment.disputes.get()
    assert dispute.status == "WON"
    assert opened() == [("amount_mismatch", dispute.reference, "-1.00")]
    assert open_items() == [(dispute.reference, "1.00")]


def test_what_was_converted_comes_back_converted(processor):
    payment = SucceededPaymentFactory(
        merchant__fees={"USD": (0, 0)}, money=Money.of("100.00", "USD"), reference="ORDER-0001"
    )
    usd = {"customer_facing_currency": "usd", "currency": "eur", "fee": "0.00"}
    load(
        processor,
        report(
            charge(payment, "txn_1", **usd, gross="90.00", customer_facing_amount="100.00"),
            taken(payment, **usd, gross="-90.00", customer_facing_amount="-100.00"),
            given_back(payment, **usd, gross="88.00", customer_facing_amount="100.00"),
        ),
    )

    reconciled(payment)

    assert states() == ["WON"]
    assert open_items() == []
    assert (balance("clearing:sim:EUR"), balance("clearing:sim:USD")) == ("88.00", "0.00")
    # No reference rate is known: the merchant is owed what came.
    assert balance(f"merchant:{payment.merchant.code}:payable:EUR") == "88.00"


def test_a_dispute_nobody_reported_is_won_by_its_line_all_the_same(processor, payment):
    dispute = DisputeFactory(payment=payment, effective_at=payment.effective_at)
    load(processor, report(charge(payment, "txn_1"), given_back(payment)))

    reconciled(payment)

    assert states() == ["WON"]
    assert opened() == [("dispute_not_in_settlement", dispute.reference, "-40.00")]
    assert open_items() == [(dispute.reference, "-40.00")]
    (row,) = (row for row in match_rows(run=None) if row["kind"] == "won_dispute")
    assert (row["reference"], row["payment_id"]) == ("ORDER-0001", dispute.public_id)
