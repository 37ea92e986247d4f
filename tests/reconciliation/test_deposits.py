"""Processors' payouts and our own on the bank statement."""

from datetime import timedelta

import pytest

from reconciliation.models import Discrepancy, Match, ProcessorPayout
from reconciliation.selectors import tie_outs
from reconciliation.services.runs import reconcile
from reconciliation.services.subsets import only_subset
from tests.factories import eur
from tests.support.books import balance
from tests.support.reports import DAY, bank_of, load, payout_row, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


def statement(sources, payouts: dict[str, str], *deposits: tuple[str, str]):
    """Reports `payouts` and a statement with the deposits (amount, text); reconciles."""
    load(sources[0], report(*(payout_row(name, amount) for name, amount in payouts.items())))
    bank = bank_of()
    for amount, text in deposits:
        bank.book(eur(amount), counterparty="SIM PAYMENTS", text=text)
    load(sources[1], bank.statement())
    return reconcile(as_of=DAY)


def opened() -> list[tuple[str, str, str]]:
    rows = Discrepancy.objects.order_by("type", "reference")
    return [(row.type, row.reference, row.money.text) for row in rows]


def test_a_deposit_that_names_its_payout_matches_and_reaches_the_bank(sources):
    statement(sources, {"po_000001": "98.35"}, ("98.35", "PAYOUT po_000001"))

    assert Match.objects.get().rule == "payout_id"
    assert opened() == []
    assert balance("deposits:in_transit:sim:EUR") == "0.00"
    assert balance("bank:DE02120300000000202051:EUR") == "1098.35"


def test_one_deposit_may_bring_several_payouts(sources):
    payouts = {"po_000001": "98.35", "po_000002": "1.65"}
    statement(sources, payouts, ("100.00", "PAYOUTS po_000001 po_000002"))

    assert Match.objects.filter(kind="deposit").count() == 2
    assert opened() == []


@pytest.mark.parametrize(
    ("deposits", "expected"),
    [
        ([("90.00", "po_000001")], [("deposit_short", "po_000001", "-8.35")]),
        ([("99.00", "po_000001")], [("deposit_over", "po_000001", "0.65")]),
        ([], [("deposit_missing", "po_000001", "98.35")]),
        (
            [("98.35", "po_000001"), ("98.35", "po_000001")],
            [("deposit_duplicate", "po_000001", "98.35")],
        ),
    ],
)
def test_a_deposit_that_differs_is_found(sources, deposits, expected):
    run = statement(sources, {"po_000001": "98.35"}, *deposits)

    assert opened() == expected
    assert not any(proof.difference for proof in tie_outs(run.as_of))


def test_a_deposit_without_an_id_is_the_one_set_of_payouts_that_adds_up(sources):
    payouts = {"po_000001": "10.00", "po_000002": "20.00", "po_000003": "70.00"}
    statement(sources, payouts, ("90.00", "SEPA CREDIT TRANSFER"), ("10.00", "po_000001"))

    assert opened() == []
    assert Match.objects.filter(rule="deposit_amount_and_due_date").count() == 2


def test_a_deposit_that_two_sets_explain_is_left_open(sources):
    payouts = {"po_000001": "10.00", "po_000002": "20.00", "po_000003": "30.00"}
    statement(sources, payouts, ("30.00", "SEPA CREDIT TRANSFER"))

    assert not Match.objects.exists()
    assert ("unexplained_bank_line", "SB", "30.00") in [
        (kind, reference[:2], amount) for kind, reference, amount in opened()
    ]


def test_a_bank_line_of_nobody_we_know_is_unexplained_and_an_open_item(sources):
    load(sources[0], report(payout_row("po_000001", "98.35")))
    bank = bank_of()
    bank.book(eur("98.35"), counterparty="SIM PAYMENTS", text="po_000001")
    name = bank.book(eur("-25.00"), counterparty="Office Rent GmbH", text="RENT")
    load(sources[1], bank.statement())

    run = reconcile(as_of=DAY)

    assert opened() == [("unexplained_bank_line", name, "-25.00")]
    (proof,) = tie_outs(run.as_of, source=sources[1])
    assert proof.line == (
        "tie-out bank DE02120300000000202051 EUR 2026-03-19"
        " book 1098.35 statement 1073.35 open 25.00 difference 0.00"
    )


def test_a_closing_balance_that_does_not_add_up_is_a_gap(sources):
    load(sources[0], report(payout_row("po_000001", "98.35")))
    bank = bank_of()
    bank.book(eur("98.35"), counterparty="SIM PAYMENTS", text="po_000001")
    load(sources[1], bank.statement().replace(b"1098.35", b"1099.00"))

    run = reconcile(as_of=DAY)

    gap = Discrepancy.objects.get()
    assert (gap.type, gap.money.text, gap.expected, gap.actual) == (
        "balance_gap",
        "0.65",
        "1098.35",
        "1099.00",
    )
    (proof,) = tie_outs(run.as_of, source=sources[1])
    assert (proof.statement.text, proof.open.text) == ("1099.00", "-0.65")
    assert not proof.difference


def test_statements_may_come_in_any_order(sources):
    first, second = bank_of(day=DAY), bank_of(day=DAY + timedelta(days=1))
    first.book(eur("10.00"), counterparty="Tenant", text="RENT")
    early = first.statement()
    second.book(eur("20.00"), counterparty="Tenant", text="RENT")
    late = second.statement()

    load(sources[1], late)
    load(sources[1], early)
    reconcile()

    assert [kind for kind, _, _ in opened()] == ["unexplained_bank_line"] * 2
    assert balance("equity:opening:EUR") == "1000.00"
    (proof,) = tie_outs(DAY + timedelta(days=1), source=sources[1])
    assert (proof.book.text, proof.statement.text) == ("1000.00", "1030.00")
    assert not proof.difference


def test_only_subset_gives_up_on_a_second_answer_and_on_too_many_candidates():
    payouts = [ProcessorPayout(amount=amount) for amount in (1, 2, 3)]

    assert only_subset(payouts, 3) == ()
    assert only_subset(payouts, 6) == tuple(payouts)
    assert only_subset(payouts, 7) == ()
    assert only_subset([ProcessorPayout(amount=2) for _ in range(17)], 34) == ()


def test_what_one_deposit_takes_may_leave_one_answer_for_another_that_came_before(sources):
    payouts = {"po_000001": "1.00", "po_000002": "2.00", "po_000003": "3.00"}
    statement(sources, payouts, ("3.00", "SEPA CREDIT"), ("1.00", "SEPA CREDIT"))

    found = Match.objects.filter(kind="deposit").order_by("processor_payout__external_id")
    assert [match.processor_payout.external_id for match in found] == ["po_000001", "po_000003"]
    assert opened() == [("deposit_missing", "po_000002", "2.00")]
    matches = Match.objects.count()
    reconcile(as_of=DAY)
    assert Match.objects.count() == matches
