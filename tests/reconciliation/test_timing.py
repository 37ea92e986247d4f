"""What is not there yet: pending until it is due, then missing, closed when it comes after all."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from reconciliation.discrepancy_guide import (
    ACTIONS,
    age_bucket,
    original_day,
    suggested_action,
    with_original_day,
)
from reconciliation.exports import DISCREPANCY_COLUMNS, discrepancy_rows
from reconciliation.models import Discrepancy
from reconciliation.selectors import tie_outs
from reconciliation.services.runs import reconcile
from reconciliation.sign_off import obstacles_to_sign_off
from tests.factories import (
    DisputeFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.books import assert_books_balance
from tests.support.reports import DAY, bank_of, charge, load, payout_row, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


@pytest.fixture
def waiting(sources) -> Any:
    """A payment of 100.00, a refund of 10.00 and a dispute of 40.00; another one is reported."""
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    SucceededRefundFactory(payment=payment, money=eur("10.00"), reference="REFUND-0001")
    DisputeFactory(payment=payment, reference="case-1")
    other = SucceededPaymentFactory(merchant=payment.merchant, money=eur("5.00"), reference="O-2")
    load(sources[0], report(charge(other, "txn_9")))
    return payment


def states() -> list[tuple[str, str, str, str]]:
    rows = Discrepancy.objects.order_by("type", "reference", "pk")
    return [(row.type, row.reference, row.money.text, row.status) for row in rows]


PENDING = [
    ("settlement_pending", "ORDER-0001", "100.00", "OPEN"),
    ("settlement_pending", "REFUND-0001", "-10.00", "OPEN"),
    ("settlement_pending", "case-1", "-40.00", "OPEN"),
]


def test_what_is_not_due_is_pending_since_it_happened(waiting):
    day = waiting.effective_at.date()

    reconcile(as_of=day)
    reconcile(as_of=day)

    assert states() == PENDING
    assert {row.since for row in Discrepancy.objects.all()} == {day}


def test_what_was_pending_is_missing_from_the_day_it_was_due(waiting):
    reconcile(as_of=waiting.effective_at.date())

    run = reconcile(as_of=waiting.settlement_due_on)

    assert states() == [
        ("dispute_not_in_settlement", "case-1", "-40.00", "OPEN"),
        ("missing_settlement", "ORDER-0001", "100.00", "OPEN"),
        ("refund_not_in_settlement", "REFUND-0001", "-10.00", "OPEN"),
        *((kind, name, amount, "RESOLVED") for kind, name, amount, _ in PENDING),
    ]
    assert set(Discrepancy.objects.filter(status="RESOLVED").values_list("resolved_by")) == {
        (run.pk,)
    }
    assert {row.since for row in Discrepancy.objects.filter(status="OPEN")} == {
        waiting.settlement_due_on
    }
    # An earlier day is looked at again: it is missing by now all the same.
    reconcile(as_of=waiting.effective_at.date())
    assert Discrepancy.objects.filter(type="settlement_pending", status="OPEN").count() == 0


@pytest.mark.parametrize("due_first", [False, True])
def test_late_evidence_closes_what_was_pending_or_missing(waiting, sources, due_first):
    reconcile(as_of=waiting.settlement_due_on if due_first else waiting.effective_at.date())
    refund, lost = waiting.refunds.get(), {"gross": "-40.00", "customer_facing_amount": "-40.00"}
    rows = [
        charge(waiting, "txn_1"),
        charge(refund, "txn_2"),
        charge(waiting, "txn_3", reporting_category="dispute", **lost),
    ]
    load(sources[0], report(*rows))

    run = reconcile()

    assert {status for *_, status in states()} == {"RESOLVED"}
    assert waiting.disputes.get().match.line.external_id == "txn_3"
    assert not any(proof.difference for proof in tie_outs(run.as_of))
    assert_books_balance()


def test_what_is_pending_keeps_nobody_from_signing(waiting, sources):
    sources[0].options = {"sign_off": {"materiality": {"EUR": "1.00"}}}
    sources[0].save()
    day = waiting.effective_at.date()
    reconcile(as_of=day)
    account = sources[0].accounts.get(currency="EUR")

    assert obstacles_to_sign_off(account, day=day) == []

    reconcile(as_of=waiting.settlement_due_on)
    assert len(obstacles_to_sign_off(account, day=waiting.settlement_due_on)) == 3


def test_each_open_discrepancy_says_its_age_what_it_leaves_open_and_what_to_do(waiting, sources):
    as_of = waiting.effective_at.date() + timedelta(days=40)
    load(sources[0], report(payout_row("po_000001", "98.35")))
    bank = bank_of()
    bank.book(eur("90.00"), counterparty="SIM PAYMENTS", text="po_000001")
    bank.book(eur("-25.00"), counterparty="Office Rent GmbH", text="RENT")
    load(sources[1], bank.statement())
    reconcile(as_of=as_of)

    rows = {row["type"]: row for row in discrepancy_rows(run=None, as_of=as_of)}

    assert all(set(row) == set(DISCREPANCY_COLUMNS) for row in rows.values())
    missing = rows["missing_settlement"]
    assert (missing["amount"], missing["open_amount"], missing["open_currency"]) == (
        "100.00",
        "100.00",
        "EUR",
    )
    assert (missing["age_days"], missing["age_bucket"]) == (40, "31-90")
    assert missing["original_on"] == waiting.effective_at.date().isoformat()
    assert missing["action_code"] == "ask_processor"
    dispute = rows["dispute_not_in_settlement"]
    assert (dispute["reference"], dispute["open_amount"]) == ("case-1", "-40.00")
    short = rows["deposit_short"]
    assert (short["amount"], short["open_amount"]) == ("-8.35", "8.35")
    in_lists = with_original_day(Discrepancy.objects.all()).annotate(on=F("original_on"))
    assert all(each.on == original_day(each) for each in in_lists)
    rent = rows["unexplained_bank_line"]
    assert (rent["amount"], rent["open_amount"], rent["original_on"]) == (
        "-25.00",
        "25.00",
        DAY.isoformat(),
    )


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        *((0, "0-1"), (1, "0-1"), (2, "2-7"), (7, "2-7"), (8, "8-30"), (30, "8-30")),
        *((31, "31-90"), (90, "31-90"), (91, ">90"), (4000, ">90")),
    ],
)
def test_age_bucket(days, bucket):
    assert age_bucket(days) == bucket


def test_every_type_has_something_to_do_about_it():
    assert set(ACTIONS) == set(Discrepancy.Type)
    codes = [action.code for action in ACTIONS.values()]
    texts = {action.code: action.text for action in ACTIONS.values()}
    assert len(texts) == len(set(codes))
    assert suggested_action(Discrepancy(type="settlement_pending")).code == "wait"
