"""What comes is matched when it comes: a statement, a slow payment. The night does the rest."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ledger.actors import Actor
from ledger.models import JournalEntry
from payments import doorbell
from payments.services.processing import process_payments
from reconciliation.models import Discrepancy, Match, ReconciliationRun, StatementFile
from reconciliation.selectors import tie_outs
from reconciliation.services.hand_matching import match_by_hand
from reconciliation.services.runs import match_arrivals, reconcile
from reconciliation.services.undone_matches import undo_match
from reconciliation.tasks import match_what_came
from tests.factories import (
    GatewayFactory,
    PaymentFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.books import assert_books_balance
from tests.support.reports import DAY, bank_of, charge, define_sources, load, payout_row, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

BELL = "reconciliation.tasks.match_arrivals"


@pytest.fixture
def sources():
    GatewayFactory()
    return define_sources()


@pytest.fixture
def rung(monkeypatch) -> list[str]:
    """The bells that were rung."""
    bells: list[str] = []
    monkeypatch.setattr(doorbell, "ring", lambda kind: bells.append(str(kind)))
    return bells


def opened() -> list[tuple[str, str]]:
    return sorted(Discrepancy.objects.filter(status="OPEN").values_list("type", "reference"))


def row_of(payment, line_id, **changes):
    """The processor's line about a payment that we do not know the end of yet."""
    payment.effective_at, payment.processor_fee_expected = timezone.now(), 165
    payment.settlement_due_on = timezone.now().date()
    return charge(payment, line_id, **changes)


def test_a_report_is_matched_when_it_comes_and_nothing_is_called_missing(
    sources, rung, django_capture_on_commit_callbacks
):
    paid = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    SucceededPaymentFactory(merchant=paid.merchant, money=eur("5.00"), reference="ORDER-0002")
    with django_capture_on_commit_callbacks(execute=True):
        load(sources[0], report(charge(paid, "txn_1", fee="2.00")))
    assert rung.count(BELL) == 1

    match_what_came()

    run = ReconciliationRun.objects.get()
    assert (run.trigger, run.match_count, run.discrepancy_count) == ("arrival", 1, 1)
    assert Match.objects.get().payment == paid
    assert opened() == [("fee_mismatch", "ORDER-0001")]
    assert JournalEntry.objects.filter(kind="processor_fees").count() == 1

    reconcile(as_of=paid.settlement_due_on)
    assert opened() == [("fee_mismatch", "ORDER-0001"), ("missing_settlement", "ORDER-0002")]


def test_the_same_file_again_rings_for_nobody(sources, rung, django_capture_on_commit_callbacks):
    paid = SucceededPaymentFactory(reference="ORDER-0001")
    content = report(charge(paid, "txn_1"))
    load(sources[0], content)
    match_what_came()
    rung.clear()

    with django_capture_on_commit_callbacks(execute=True):
        load(sources[0], content, name="again")
        load(sources[0], report(charge(paid, "txn_1")) + b"\n", name="once more")
    match_what_came()

    assert rung.count(BELL) == 0
    assert ReconciliationRun.objects.count() == 1


def test_a_payment_that_was_slow_is_matched_when_it_is_final(sources):
    payment = PaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    load(sources[0], report(row_of(payment, "txn_1")))
    match_what_came()
    assert opened() == [("orphan_line", "txn_1")]
    match_what_came()
    assert ReconciliationRun.objects.count() == 1  # nothing came

    process_payments()
    match_what_came()

    payment.refresh_from_db()
    assert Match.objects.get().payment == payment
    assert opened() == []
    assert not any(proof.difference for proof in tie_outs(payment.settlement_due_on))
    assert_books_balance()
    match_what_came()
    assert ReconciliationRun.objects.count() == 2


def test_a_payment_from_after_the_last_report_is_matched_too(sources):
    payment = PaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    yesterday = timezone.now() - timedelta(days=1)
    row = row_of(payment, "txn_1", created_utc=f"{yesterday:%Y-%m-%d %H:%M:%S}")
    load(sources[0], report(row | {"available_on_utc": row["created_utc"]}))
    match_what_came()

    process_payments()
    match_what_came()

    assert Match.objects.get().payment == payment


def test_a_refund_that_was_slow_is_matched_when_it_is_final(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    odd = {"refund_metadata[reference]": "REFUND-0001"}
    refund = SucceededRefundFactory(payment=payment, money=eur("9.00"), reference="OTHER")
    row = charge(refund, "txn_2", **odd, gross="-10.00", customer_facing_amount="-10.00")
    load(sources[0], report(charge(payment, "txn_1"), row))
    match_what_came()
    assert opened() == [("orphan_line", "txn_2")]

    late = SucceededRefundFactory(payment=payment, money=eur("10.00"), reference="REFUND-0001")
    match_what_came()

    assert Match.objects.get(kind="refund").refund == late
    assert opened() == []


def test_payments_that_no_line_waits_for_cost_no_run(sources):
    paid = SucceededPaymentFactory(reference="ORDER-0001")
    load(
        sources[0],
        report(
            charge(paid, "txn_1"), charge(paid, "txn_2") | {"payment_metadata[reference]": "NOBODY"}
        ),
    )
    match_what_came()
    assert opened() == [("orphan_line", "txn_2")]

    for number in range(3):
        SucceededPaymentFactory(merchant=paid.merchant, reference=f"MORE-{number}")
    match_what_came()

    assert ReconciliationRun.objects.count() == 1


def test_a_deposit_is_matched_when_the_report_that_explains_it_comes_after_the_bank(sources):
    bank = bank_of()
    bank.book(eur("98.35"), counterparty="SIM PAYMENTS", text="po_000001")
    rent = bank.book(eur("-25.00"), counterparty="Office Rent GmbH", text="RENT")
    load(sources[1], bank.statement())
    match_what_came()
    assert opened() == [("unexplained_bank_line", rent)]

    load(sources[0], report(payout_row("po_000001", "98.35")))
    match_what_came()

    assert Match.objects.get().rule == "payout_id"
    assert opened() == [("unexplained_bank_line", rent)]


def test_what_rests_on_amounts_or_on_everything_being_there_waits_for_the_night(sources):
    rows = (payout_row("po_000001", "60.00"), payout_row("po_000002", "50.00"))
    load(sources[0], report(rows[0]))
    bank = bank_of()
    bank.book(eur("110.00"), counterparty="SIM PAYMENTS", text="po_000001 po_000002")
    bank.book(eur("7.00"), counterparty="SIM PAYMENTS", text="TRANSFER")
    load(sources[1], bank.statement())
    match_what_came()
    assert (opened(), Match.objects.count()) == ([], 0)

    load(sources[0], report(rows[1], payout_row("po_000003", "7.00")))
    match_what_came()
    assert (opened(), Match.objects.count()) == ([], 2)

    reconcile(as_of=DAY)
    assert (opened(), Match.objects.count()) == ([], 3)


def test_a_line_without_a_reference_is_nobodys_only_after_a_full_run(sources):
    paid = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    load(sources[0], report(charge(paid, "txn_1", **{"payment_metadata[reference]": ""})))

    match_what_came()
    assert (opened(), Match.objects.count()) == ([], 0)

    reconcile(as_of=paid.settlement_due_on)
    assert (opened(), Match.objects.get().rule) == ([], "amount_and_due_date")


def test_the_end_is_the_same_whether_each_file_was_matched_at_once_or_all_by_night(sources):
    paid = [
        SucceededPaymentFactory(money=eur("100.00"), reference=f"ORDER-000{n}") for n in range(4)
    ]
    rows = [
        charge(paid[0], "txn_0"),
        charge(paid[1], "txn_1", fee="3.00"),
        charge(paid[0], "txn_2"),
    ]
    load(sources[0], report(rows[0], payout_row("po_000001", "98.35")))
    match_what_came()
    bank = bank_of()
    bank.book(eur("90.00"), counterparty="SIM PAYMENTS", text="po_000001")
    load(sources[1], bank.statement())
    match_what_came()
    load(sources[0], report(*rows[1:]))
    match_what_came()
    reconcile(as_of=paid[0].settlement_due_on)

    assert opened() == [
        ("deposit_short", "po_000001"),
        ("duplicate_line", "txn_2"),
        ("fee_mismatch", "ORDER-0001"),
        ("missing_settlement", "ORDER-0002"),
        ("missing_settlement", "ORDER-0003"),
    ]


def test_an_undone_match_is_not_made_again_at_once(sources):
    ann = Actor("user", "1", "ann@example.com")
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    load(sources[0], report(charge(payment, "txn_1")))
    match_what_came()
    found = Match.objects.get()
    line = found.line
    undo_match(found, reason="Another shop's.", actor=ann)

    match_arrivals()
    StatementFile.objects.update(has_new_lines=True)
    match_arrivals()

    assert not Match.objects.exists()
    match_by_hand(line, payment, reason="It was ours.", actor=ann)
    match_arrivals()
    assert Match.objects.get().rule == "by_hand"
