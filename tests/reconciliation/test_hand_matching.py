"""Pairs that people make: like those of the rules, and refused where nothing fits."""

import json

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command

from ledger.models import AuditEvent, JournalEntry
from ledger.services.audit import ReasonMissing
from reconciliation.errors import AlreadyMatched, NotMatchable
from reconciliation.models import (
    Discrepancy,
    FeeGroup,
    Match,
    ProcessorPayout,
    ReconciliationRun,
    StatementLine,
)
from reconciliation.services.hand_matching import match_by_hand
from reconciliation.services.runs import reconcile
from reconciliation.services.undone_matches import undo_match
from tests.factories import (
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.books import t_accounts
from tests.support.hand_matching import (
    ANN,
    STRANGER,
    WHY,
    all_ties_out,
    line,
    opened,
    stranger,
)
from tests.support.reports import bank_of, charge, load, payout_row, report

__all__ = ["all_ties_out", "stranger"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


def test_a_person_matches_a_line_its_fee_is_posted_and_what_was_open_is_over(stranger):
    match = match_by_hand(line("txn_1"), stranger, **WHY)

    assert opened() == []
    assert (match.payment, match.rule, match.rule_version) == (stranger, "by_hand", 1)
    assert match.evidence["reason"] == "The processor wrote so."
    assert t_accounts(FeeGroup.objects.get().public_id) == [
        ("debit", "expense:processing:EUR", 165),
        ("credit", "clearing:sim:EUR", 165),
    ]
    event = AuditEvent.objects.get(action="match.made")
    assert (event.actor_label, event.subject) == ("ann@example.com", match.public_id)
    assert event.after["amount"] == "98.35 EUR"
    assert match.run.trigger == "person"
    assert (match.run.match_count, len(match.run.result_hash)) == (1, 64)


def test_a_match_by_hand_stays_whatever_comes_later(stranger, sources):
    match = match_by_hand(line("txn_1"), stranger, **WHY)
    load(sources[0], report(charge(stranger, "txn_2")))

    reconcile()
    reconcile()

    assert Match.objects.get() == match
    assert opened() == [("duplicate_line", "txn_2")]
    assert JournalEntry.objects.filter(kind="processor_fees").count() == 1


def test_what_differs_is_found_as_if_a_rule_had_made_the_pair(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    short = {"gross": "98.00", "customer_facing_amount": "98.00"}
    load(sources[0], report(charge(payment, "txn_1", **short, **STRANGER)))

    match_by_hand(line("txn_1"), payment, **WHY)

    assert opened() == [("amount_mismatch", "ORDER-0001")]
    assert Discrepancy.objects.get().money == eur("-2.00")


def test_a_line_that_was_matched_to_the_wrong_payment_goes_to_the_right_one(sources):
    wrong = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    right = SucceededPaymentFactory(
        merchant=wrong.merchant, money=eur("98.00"), reference="ORDER-0002"
    )
    load(
        sources[0], report(charge(right, "txn_1", **{"payment_metadata[reference]": "ORDER-0001"}))
    )
    reconcile()
    assert ("amount_mismatch", "ORDER-0001") in opened()

    undo_match(Match.objects.get(), **WHY)
    match_by_hand(line("txn_1"), right, **WHY)
    reconcile(as_of=right.settlement_due_on)

    assert Match.objects.get().payment == right
    assert opened() == [("missing_settlement", "ORDER-0001")]


def test_what_cannot_belong_together_is_refused_and_nothing_changes(sources, stranger):
    other = SucceededPaymentFactory(merchant=stranger.merchant, money=eur("5.00"))
    pending = SucceededRefundFactory(payment=other, money=eur("1.00"))
    load(sources[0], report(payout_row("po_000001", "60.00")))
    bank = bank_of()
    bank.book(eur("-60.00"), counterparty="SIM PAYMENTS", text="x")
    load(sources[1], bank.statement())
    reconcile()
    payout = ProcessorPayout.objects.get()
    before = (
        Match.objects.count(),
        JournalEntry.objects.count(),
        ReconciliationRun.objects.count(),
    )

    for wrong, subject, refusal in [
        (StatementLine.objects.get(kind="entry"), stranger, "not of its gateway's reports"),
        (StatementLine.objects.get(kind="payout"), stranger, "in the books by itself"),
        (StatementLine.objects.get(kind="entry"), payout, "deposits are credits"),
        (line("txn_1"), payout, "not of a bank"),
    ]:
        with pytest.raises(NotMatchable, match=refusal):
            match_by_hand(wrong, subject, **WHY)
    with pytest.raises(NotMatchable, match="matched whole"):
        match_by_hand(line("txn_1"), stranger, amount=eur("1.00"), **WHY)
    with pytest.raises(ReasonMissing):
        match_by_hand(line("txn_1"), stranger, reason=" ", actor=ANN)
    after = (Match.objects.count(), JournalEntry.objects.count(), ReconciliationRun.objects.count())
    assert after == before

    match = match_by_hand(line("txn_1"), stranger, **WHY)
    with pytest.raises(AlreadyMatched, match=match.public_id):
        match_by_hand(line("txn_1"), pending, **WHY)
    with pytest.raises(AlreadyMatched, match=match.public_id):
        match_by_hand(line("txn_1"), stranger, **WHY)


def test_commands_do_it_in_the_name_of_somebody_who_may(stranger, capsys):
    ann = User.objects.create_user("ann")
    words = ["--actor", "ann", "--reason", "The processor wrote so."]
    public_id = line("txn_1").public_id
    with pytest.raises(CommandError, match="no active person"):
        call_command("match_by_hand", public_id, stranger.public_id, *words)
    may = Permission.objects.filter(codename__in=["add_match", "delete_match"])
    ann.user_permissions.set(may)

    call_command("match_by_hand", public_id, stranger.public_id, "--json", *words)
    match = Match.objects.get()
    assert json.loads(capsys.readouterr().out)["id"] == match.public_id
    call_command("undo_match", match.public_id, *words)

    assert not Match.objects.exists()
    assert AuditEvent.objects.filter(actor_label="ann", action="match.undone").count() == 1
    for wrong in (
        ["match_by_hand", "stl_0", stranger.public_id],
        ["match_by_hand", public_id, "pay_unknown"],
        ["undo_match", "match_x"],
    ):
        with pytest.raises(CommandError, match=r"_not_found\)"):
            call_command(*wrong, *words)
