"""Our payouts that the bank was told to carry out and whose debit is on no statement."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from ledger.actors import Actor
from ledger.models import Account
from payments.calendar import add_business_days
from reconciliation.discrepancy_guide import original_day
from reconciliation.errors import BookingNotPossible
from reconciliation.exports import discrepancy_rows
from reconciliation.models import Discrepancy, Match
from reconciliation.report_sections import sub_ledgers
from reconciliation.selectors import tie_outs
from reconciliation.services.runs import match_arrivals, reconcile
from reconciliation.services.sources import SourceTerms, define_source
from reconciliation.services.undone_matches import undo_match
from reconciliation.services.write_offs import propose_write_off
from settlements.models import Payout
from settlements.rails.bank_ids import bank_id
from settlements.services.batches import run_settlement
from settlements.services.status_reports import import_status_report
from tests.factories import GatewayFactory, MerchantFactory, SucceededPaymentFactory, eur
from tests.support.bank_files import camt, entry
from tests.support.books import assert_books_balance
from tests.support.payouts import MAKER, sent
from tests.support.reports import IBAN, bank_of, define_sources, load

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

WHY: dict[str, Any] = {"reason": "The bank wrote so.", "actor": Actor("user", "1", "ann")}


@pytest.fixture
def bank():
    GatewayFactory()
    return define_sources()[1]


@pytest.fixture
def first_day() -> date:
    """On which the bank carries out what it was told today; it has a day more by contract."""
    today = timezone.now().date()
    return today if today.weekday() < 5 else add_business_days(today, 1)


def payouts_of(*amounts: str) -> list[Payout]:
    for amount in amounts:
        payment = SucceededPaymentFactory(merchant=MerchantFactory(), money=eur(amount))
    run_settlement(payment.effective_at.date(), actor=Actor.system("settlement"))
    return list(Payout.objects.select_related("merchant").order_by("pk"))


def state(bank, day: date, *debits: tuple[Payout, str]) -> None:
    """The bank's statement of a day: debits of payouts, each with what the bank says about it."""
    at_bank = bank_of(day)
    for payout, name in debits:
        at_bank.book(-payout.money, counterparty="Shop", end_to_end_id=name, text="PAYMENT")
    load(bank, at_bank.statement(), name=f"{day}")


def reconciled(day: date) -> None:
    run = reconcile(as_of=day)
    assert [proof.line for proof in tie_outs(run.as_of) if proof.difference] == []
    assert_books_balance()


def opened() -> list[tuple[str, str, str]]:
    rows = Discrepancy.objects.filter(status__in=Discrepancy.UNSETTLED)
    return [(row.type, row.reference, row.money.text) for row in rows.order_by("type", "reference")]


def in_transit(bank, day: date) -> dict[str, Any]:
    (found,) = [
        each
        for each in sub_ledgers(bank.accounts.get(), day, timezone.now())
        if each["account"] == "payouts:in_transit:EUR"
    ]
    return found


def test_a_payout_on_no_statement_is_missing_from_the_day_it_was_due(bank, first_day):
    (payout,) = payouts_of("100.00")
    sent([payout])
    due_on = add_business_days(first_day, 1)

    state(bank, first_day)
    reconciled(first_day)
    assert opened() == []

    state(bank, due_on)
    reconciled(due_on)
    reconciled(due_on)

    assert opened() == [("payout_missing", payout.public_id, "-96.80")]
    found = Discrepancy.objects.get()
    payout.refresh_from_db()
    assert (found.payout, found.since, found.source) == (payout, due_on, bank)
    assert original_day(found) == payout.sent_at.date()
    (row,) = discrepancy_rows(run=None, as_of=due_on)
    assert (row["open_amount"], row["action_code"]) == ("-96.80", "trace_payout")
    ledger = in_transit(bank, due_on)
    assert (ledger["balance"], ledger["sum"]) == ("96.80", "96.80")
    assert [item["name"] for item in ledger["items"]] == [payout.public_id]


def test_the_debit_that_comes_later_ends_it(bank, first_day):
    (payout,) = payouts_of("100.00")
    sent([payout])
    for day in (first_day, add_business_days(first_day, 1)):
        state(bank, day)
    reconciled(add_business_days(first_day, 1))

    late = add_business_days(first_day, 2)
    state(bank, late, (payout, bank_id(payout.public_id)))
    assert match_arrivals() is not None

    payout.refresh_from_db()
    assert (payout.status, payout.paid_on, opened()) == ("PAID", late, [])
    found = Discrepancy.objects.get()
    assert (found.status, found.ended_by) == ("RESOLVED", "")
    reconciled(late)
    assert (opened(), Account.objects.get(code="payouts:in_transit:EUR").balance.money) == (
        [],
        eur("0.00"),
    )


def test_what_the_bank_refuses_after_all_is_not_missing(bank, first_day):
    payouts = payouts_of("100.00", "50.00")
    _, content = sent(payouts)
    due_on = add_business_days(first_day, 1)
    for day in (first_day, due_on):
        state(bank, day)
    reconciled(due_on)
    assert len(opened()) == 2

    answer = bank_of(due_on).take(content, refused=[bank_id(payouts[0].public_id)])
    import_status_report(answer, actor=MAKER)
    reconciled(due_on)

    assert [reference for _, reference, _ in opened()] == [payouts[1].public_id]


@pytest.mark.parametrize(
    ("days", "is_missing"),
    [
        ((0, 1), True),
        ((0, 1, 2), True),
        ((-1, 0, 1), True),
        ((), False),
        ((0,), False),  # the bank has a day more
        ((1,), False),  # the first day's statement may show it
        ((1, 2), False),
        ((-1,), False),
    ],
)
def test_it_is_missing_only_if_the_statements_leave_none_of_its_days_out(
    bank, first_day, days, is_missing
):
    (payout,) = payouts_of("100.00")
    sent([payout])
    before = first_day - timedelta(days=3 if first_day.weekday() == 0 else 1)
    for n in days:
        day = before if n < 0 else add_business_days(first_day, n)
        load(bank, camt(day=str(day), opening=None, name=str(day)), name=str(n))

    reconcile(as_of=add_business_days(first_day, 10))

    assert [kind for kind, _, _ in opened()] == ["payout_missing"] * is_missing


@pytest.mark.parametrize(("opening", "is_missing"), [("100.00", True), ("101.00", False)])
def test_a_day_without_a_statement_is_told_by_the_balances_around_it(
    bank, first_day, opening, is_missing
):
    (payout,) = payouts_of("100.00")
    sent([payout])
    load(bank, camt(day=str(first_day)), name="first")
    third = add_business_days(first_day, 3)
    load(bank, camt(day=str(third), opening=opening, name="S3"), name="third")

    reconcile(as_of=third)

    assert ("payout_missing" in {kind for kind, _, _ in opened()}) is is_missing


def test_statements_of_another_account_say_nothing_about_it(first_day):
    GatewayFactory()
    other = "DE89370400440532013000"
    source = define_source(
        "other",
        SourceTerms(kind="bank_statement", formats=("camt.053",), accounts=((other, "EUR"),)),
    )
    (payout,) = payouts_of("100.00")
    sent([payout])
    for n in range(3):
        day = str(add_business_days(first_day, n))
        load(source, camt(day=day, iban=other, name=day), name=day)

    reconcile()

    assert opened() == []


def test_a_bank_has_as_many_days_as_its_source_says(first_day):
    GatewayFactory()
    source = define_source(
        "bank",
        SourceTerms(
            kind="bank_statement", formats=("camt.053",), accounts=((IBAN, "EUR"),), deposit_days=3
        ),
    )
    sent(payouts_of("100.00"))
    found = []
    for n in range(5):
        day = add_business_days(first_day, n)
        load(source, camt(day=str(day), name=str(day)), name=str(day))
        reconcile(as_of=day)
        found.append(len(opened()))

    assert found == [0, 0, 0, 1, 1]


def test_one_debit_for_a_whole_file_is_all_that_is_in_it(bank, first_day):
    payouts = payouts_of("100.00", "50.00", "20.00")
    file, _ = sent(payouts)
    total = sum((each.money for each in payouts), eur("0.00"))
    at_bank = bank_of(first_day)
    at_bank.book(-total, counterparty="Tieout GmbH", text=f"BATCH {bank_id(file.public_id)}")
    load(bank, at_bank.statement())

    reconciled(add_business_days(first_day, 3))

    matches = Match.objects.filter(kind="payout")
    assert {match.rule for match in matches} == {"own_payout_file"}
    assert {match.payout for match in matches} == set(payouts)
    assert set(Payout.objects.values_list("status", flat=True)) == {"PAID"}
    assert opened() == []
    assert Account.objects.get(code="payouts:in_transit:EUR").balance.money == eur("0.00")


def test_one_debit_for_what_the_bank_did_not_refuse_of_a_file(bank, first_day):
    payouts = payouts_of("100.00", "50.00", "20.00")
    file, content = sent(payouts)
    answer = bank_of(first_day).take(content, refused=[bank_id(payouts[1].public_id)])
    import_status_report(answer, actor=MAKER)
    left = payouts[0].money + payouts[2].money
    text = f"SAMMLER {bank_id(file.public_id)}"
    load(bank, camt(entry(f"-{left.text}", text=text, day=str(first_day)), day=str(first_day)))

    reconciled(first_day)

    assert [each.payout for each in Match.objects.order_by("payout_id")] == [
        payouts[0],
        payouts[2],
    ]
    assert opened() == []


def test_a_debit_of_another_amount_is_no_file(bank, first_day):
    payouts = payouts_of("100.00", "50.00")
    file, _ = sent(payouts)
    text = f"SAMMLER {bank_id(file.public_id)}"
    load(bank, camt(entry("-5.00", text=text, ref="B1", day=str(first_day)), day=str(first_day)))

    reconciled(first_day)

    assert not Match.objects.exists()
    assert opened() == [("unexplained_bank_line", "B1", "-5.00")]


def test_a_debit_of_its_own_that_names_its_file_too_is_one_payout(bank, first_day):
    payouts = payouts_of("100.00", "50.00")
    file, _ = sent(payouts)
    text = f"{bank_id(file.public_id)} {bank_id(payouts[1].public_id)}"
    debit = entry(f"-{payouts[1].money.text}", text=text, day=str(first_day))
    load(bank, camt(debit, day=str(first_day)))

    reconciled(first_day)

    match = Match.objects.get()
    assert (match.payout, match.rule) == (payouts[1], "own_payout_id")


def test_a_payout_whose_line_was_another_ones_is_missing_again(bank, first_day):
    (payout,) = payouts_of("100.00")
    sent([payout])
    due_on = add_business_days(first_day, 1)
    state(bank, first_day, (payout, bank_id(payout.public_id)))
    state(bank, due_on)
    reconciled(due_on)
    assert opened() == []

    undo_match(Match.objects.get(), **WHY)

    assert ("payout_missing", payout.public_id, "-96.80") in opened()
    reconciled(due_on)
    assert [kind for kind, _, _ in opened()] == ["payout_missing", "unexplained_bank_line"]


def test_what_a_merchant_is_owed_is_not_written_off(bank, first_day):
    sent(payouts_of("100.00"))
    due_on = add_business_days(first_day, 1)
    for day in (first_day, due_on):
        state(bank, day)
    reconciled(due_on)

    with pytest.raises(BookingNotPossible, match="owed to a merchant"):
        propose_write_off(
            Discrepancy.objects.get(), kind="write_off", reason_code="not_recoverable", **WHY
        )
