"""Disputes won and lost, references cut short and payouts of ours, each with whatever may be wrong.

It is found by its type, and no more; and for every account book - statement = the sum of the open
items. `RECONCILIATION_EXAMPLES` makes it longer.
"""

import os
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.actors import Actor
from payments.calendar import add_business_days
from payments.models import Dispute, Payment
from payments.services.disputes import win_dispute
from reconciliation.models import Discrepancy, Match, Source
from reconciliation.selectors import tie_outs
from reconciliation.services.runs import reconcile
from settlements.models import Payout
from settlements.rails.bank_ids import bank_id
from settlements.services.batches import run_settlement
from tests.factories import (
    DisputeFactory,
    GatewayFactory,
    MerchantFactory,
    SucceededPaymentFactory,
    eur,
)
from tests.support.books import assert_books_balance
from tests.support.payouts import sent
from tests.support.reports import bank_of, charge, define_sources, load, report

EXAMPLES = int(os.environ.get("RECONCILIATION_EXAMPLES", "10"))
SYSTEM = Actor.system("tests")

# What is reported of a dispute of 40.00, whether its gateway had said that it is won, and what is
# to be found: about the dispute, or about the last line.
DISPUTES = {
    "open": (("taken",), False, ""),
    "won by a line": (("taken", "back"), False, ""),
    "won by both": (("taken", "back"), True, ""),
    "won and not given back": (("taken",), True, "dispute_not_in_settlement"),
    "given back twice": (("taken", "back", "again"), False, "duplicate_line"),
    "won and given back twice": (("taken", "back", "again"), True, "duplicate_line"),
    "given back in part": (("taken", "part"), False, "orphan_line"),
    "won and given back in part": (("taken", "part"), True, "amount_mismatch"),
    "given back and never taken": (("back",), False, "orphan_line"),
}
AMOUNTS = {"taken": "-40.00", "back": "40.00", "again": "40.00", "part": "30.00"}
ABOUT_THE_DISPUTE = ("dispute_not_in_settlement", "amount_mismatch")
PAYOUTS = ("left", "left late", "missing")
BATCHED = "batched"

Finding = tuple[str, str]
Block = list[dict[str, Any]]


@st.composite
def days(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "disputes": draw(st.lists(st.sampled_from(list(DISPUTES)), max_size=4)),
        "cuts": draw(st.lists(st.booleans(), max_size=2)),
        "payouts": draw(
            st.one_of(st.lists(st.sampled_from(PAYOUTS), max_size=3), st.just([BATCHED] * 3))
        ),
        "order": draw(st.randoms(use_true_random=False)),
        "runs_between": draw(st.booleans()),
    }


def dispute_lines(payment: Payment, what: str) -> tuple[list[Block], set[Finding]]:
    """Each line of the dispute may come in any file; two that are alike keep their order."""
    kinds, is_told, finding = DISPUTES[what]
    told: Dispute | None = None
    if is_told:
        told = DisputeFactory(payment=payment, effective_at=payment.effective_at)
        win_dispute(told, effective_at=payment.effective_at, actor=SYSTEM)
    rows = {}
    for kind in kinds:
        category = "dispute" if kind == "taken" else "dispute_reversal"
        amount = AMOUNTS[kind]
        rows[kind] = charge(
            payment,
            f"txn_{kind}_{payment.pk}",
            reporting_category=category,
            gross=amount,
            customer_facing_amount=amount,
            fee={"taken": "15.00", "back": "-15.00"}.get(kind, "0.00"),
        )
    blocks = [[rows[kind]] for kind in kinds if kind not in ("back", "again")]
    blocks.append([rows[kind] for kind in ("back", "again") if kind in kinds])
    if not finding:
        return blocks, set()
    name = f"txn_{kinds[-1]}_{payment.pk}"
    if finding in ABOUT_THE_DISPUTE:
        assert told is not None
        name = told.reference
    return blocks, {(finding, name)}


def cut_lines(number: int, is_only_one: bool) -> tuple[list[Block], list[Payment], list[Payment]]:
    """A settled payment and one whose reference is cut: lines, what matches, and what is a tie."""
    settled = SucceededPaymentFactory(money=eur("20.00"), reference=f"CUT-{number}-00010001-A")
    tail = f"CUT-{number}-00020001-B" if is_only_one else f"CUT-{number}-00010002-B"
    waiting = SucceededPaymentFactory(merchant=settled.merchant, money=eur("20.00"), reference=tail)
    cut = charge(waiting, f"txn_cut_{number}", **{"payment_metadata[reference]": tail[:12]})
    blocks = [[charge(settled, f"txn_settled_{number}")], [cut]]
    return blocks, [settled, *[waiting] * is_only_one], [waiting] * (not is_only_one)


def payouts_of(faults: Sequence[str]) -> tuple[list[Payout], str]:
    """Payouts with the bank, one for each fault, and what the bank calls their file."""
    if not faults:
        return [], ""
    for n in range(len(faults)):
        payment = SucceededPaymentFactory(merchant=MerchantFactory(), money=eur(f"{70 + 9 * n}.00"))
    run_settlement(payment.effective_at.date(), actor=SYSTEM)
    payouts = list(Payout.objects.select_related("merchant").order_by("pk"))
    file, _ = sent(payouts)
    return payouts, bank_id(file.public_id)


def state_payouts(
    bank: Source, payouts: Sequence[Payout], faults: Sequence[str], file: str, *, as_of: date | None
) -> None:
    """Three business days of the bank; by the second all is due. Given a day, with runs between."""
    today = timezone.now().date()
    first_day = today if today.weekday() < 5 else add_business_days(today, 1)
    for n in range(3):
        at_bank = bank_of(add_business_days(first_day, n))
        for payout, fault in zip(payouts, faults, strict=True):
            if (n, fault) in ((0, "left"), (2, "left late")):
                name = bank_id(payout.public_id)
                at_bank.book(-payout.money, counterparty="S", end_to_end_id=name, text="PAYMENT")
        if n == 0 and BATCHED in faults:
            total = sum((payout.money for payout in payouts), eur("0.00"))
            at_bank.book(-total, counterparty="Ours", text=f"BATCH {file}")
        load(bank, at_bank.statement(), name=f"bank {n}")
        if as_of is not None:
            reconcile(as_of=as_of)


def opened(but: Sequence[Payment]) -> set[Finding]:
    """What is unsettled; a payment that may be a tie was missing while its line had not come."""
    unsettled = Discrepancy.objects.filter(status__in=Discrepancy.UNSETTLED)
    rows = unsettled.exclude(payment__in=but).values_list("type", "reference")
    return set(rows)


def judge(day: dict[str, Any]) -> None:
    GatewayFactory()
    processor, bank = define_sources()
    payouts, file = payouts_of(day["payouts"])
    expected = {
        ("payout_missing", payout.public_id)
        for payout, fault in zip(payouts, day["payouts"], strict=True)
        if fault == "missing"
    }
    blocks: list[Block] = []
    matched = list(Payment.objects.all())
    tied: list[Payment] = []
    for what in day["disputes"]:
        payment = SucceededPaymentFactory(money=eur("100.00"))
        matched.append(payment)
        lines, found = dispute_lines(payment, what)
        blocks += lines
        expected |= found
    blocks += [[charge(payment, f"txn_{payment.pk}")] for payment in matched]
    for number, is_only_one in enumerate(day["cuts"]):
        lines, known, unknown = cut_lines(number, is_only_one)
        blocks += lines
        matched += known
        tied += unknown
    day["order"].shuffle(blocks)
    as_of = timezone.now().date() + timedelta(days=30)
    middle = len(blocks) // 2
    for number, part in enumerate((blocks[:middle], blocks[middle:])):
        load(processor, report(*(row for block in part for row in block)), name=f"report {number}")
        if day["runs_between"]:
            reconcile(as_of=as_of)
    between = as_of if day["runs_between"] else None
    state_payouts(bank, payouts, day["payouts"], file, as_of=between)

    reconcile(as_of=as_of)

    assert opened(tied) == expected
    assert {match.payment for match in Match.objects.filter(kind="payment")} == set(matched)
    left = {payout.pk for payout in Payout.objects.filter(status=Payout.Status.PAID)}
    assert left == {
        payout.pk
        for payout, fault in zip(payouts, day["payouts"], strict=True)
        if fault != "missing"
    }
    for when in (timezone.now().date(), as_of):
        assert [proof.line for proof in tie_outs(when) if proof.difference] == []
    assert_books_balance()
    matches = Match.objects.count()
    reconcile(as_of=as_of)
    assert (opened(tied), Match.objects.count()) == (expected, matches)


@pytest.mark.django_db
@pytest.mark.usefixtures("books")
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(day=days())
def test_what_is_planted_is_found_and_every_account_ties_out(day: dict[str, Any]) -> None:
    with transaction.atomic():
        judge(day)
        transaction.set_rollback(True)
