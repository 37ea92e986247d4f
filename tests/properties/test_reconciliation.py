"""Whatever is wrong with a day, also twice with one payment: it is found by its type, and no more.

And for every account: book - statement = the sum of the open items. `RECONCILIATION_EXAMPLES` makes
it longer.
"""

import hashlib
import os
import random
from collections.abc import Iterable
from datetime import timedelta
from itertools import combinations, product
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.money import Money
from payments.models import Payment, Refund
from reconciliation.models import Discrepancy, Match, Source
from reconciliation.selectors import tie_outs
from reconciliation.services.runs import reconcile
from tests.factories import GatewayFactory, SucceededPaymentFactory, SucceededRefundFactory, eur
from tests.support.reports import DAY, bank_of, charge, define_sources, load, payout_row, report

EXAMPLES = int(os.environ.get("RECONCILIATION_EXAMPLES", "10"))
REFERENCE = "payment_metadata[reference]"
ID = "balance_transaction_id"

# Of each group a line has one fault at most; what is missing has no other.
GROUPS = (
    ("amount_mismatch", "rounding_difference", "wrong_sign", "currency_mismatch"),
    ("fee_mismatch",),
    ("late_settlement",),
    ("repeated", "repeated_with_another_id", "repeated_and_retyped"),
    ("lower_case", "spaced", "in_text", "prefixed", "truncated"),
)
MISSING = ("missing",)
FAULTS = [
    (),
    MISSING,
    *((fault,) for group in GROUPS for fault in group),
    *(pair for one, other in combinations(GROUPS, 2) for pair in product(one, other)),
]
# The first difference counts: a fee that was computed on a wrong gross is no second finding.
HIDES_FEE = set(GROUPS[0])
# A refund with the sign of a charge is judged like one, and is not what this is about.
FOR_PAYMENTS = {"wrong_sign", "currency_mismatch"}
TYPES = {*GROUPS[0], *GROUPS[1], *GROUPS[2]}
PAYOUT_FAULTS = ("", "", "unnamed", "deposit_missing", "deposit_short", "deposit_duplicate")

Row = dict[str, Any]
Finding = tuple[str, str]
Item = Payment | Refund

items = st.tuples(st.booleans(), st.integers(2_00, 400_00), st.sampled_from(FAULTS))


@st.composite
def days(draw: st.DrawFn) -> dict[str, Any]:
    """What happened, what is wrong with it, and how the rows are spread over two files."""
    planted = draw(st.lists(items, min_size=1, max_size=6))
    return {
        "planted": planted,
        "orphans": draw(st.integers(0, 2)),
        "payouts": draw(st.lists(st.sampled_from(PAYOUT_FAULTS), max_size=4)),
        "order": draw(st.randoms(use_true_random=False)),
        "runs_between": draw(st.booleans()),
    }


def reference_of(number: int) -> str:
    digest = hashlib.sha256(str(number).encode()).hexdigest().upper()
    return f"M{digest[:3]}-{digest[3:15]}"


def item_of(number: int, is_refund: bool, amount: int) -> Item:
    payment = SucceededPaymentFactory(money=Money(amount, "EUR"), reference=reference_of(number))
    if not is_refund:
        return payment
    return SucceededRefundFactory(payment=payment, reference=f"R{reference_of(number)}")


def retyped(reference: str, how: str) -> str:
    return {
        "lower_case": reference.lower(),
        "spaced": f"{reference[:6]} {reference[6:]}",
        "in_text": f"Payment for {reference} - thank you",
        "prefixed": f"INV:{reference}/EU",
        "truncated": reference[:13],
    }[how]


def rows_of(item: Item, number: int, faults: tuple[str, ...]) -> list[Row]:
    """How the processor reports it."""
    sign = 1 if isinstance(item, Payment) else -1
    gross, fee = sign * item.money.amount, item.processor_fee_expected or 0
    changes: Row = {}
    if "amount_mismatch" in faults:
        gross -= sign * 120
    if "rounding_difference" in faults:
        gross -= 1
    if "wrong_sign" in faults:
        gross = -gross
    if "fee_mismatch" in faults:
        fee += 1
    if "currency_mismatch" in faults:
        changes |= {"currency": "usd", "customer_facing_currency": "usd"}
    if "late_settlement" in faults:
        late_on = item.settlement_due_on + timedelta(days=3)
        changes["available_on_utc"] = f"{late_on} 00:00:00"
    text = Money(gross, "EUR").text
    changes |= {"gross": text, "customer_facing_amount": text, "fee": Money(fee, "EUR").text}
    column = REFERENCE if sign == 1 else "refund_metadata[reference]"
    for how in faults:
        if how in GROUPS[-1]:
            changes[column] = retyped(item.reference, how)
    row = charge(item, f"txn_{number}", **changes)
    again = {
        "repeated": {},
        "repeated_with_another_id": {ID: f"txn_{number}_again"},
        "repeated_and_retyped": {ID: f"txn_{number}_again", column: item.reference.lower()},
    }
    return [row, *({**row, **again[fault]} for fault in faults if fault in again)]


def expected_of(item: Item, faults: tuple[str, ...], ids: list[str]) -> set[Finding]:
    """What is to be found; `ids` are those of its lines in the order of the files."""
    if faults == MISSING:
        is_payment = isinstance(item, Payment)
        kind = "missing_settlement" if is_payment else "refund_not_in_settlement"
        return {(kind, item.reference)}
    found = {(fault, item.reference) for fault in faults if fault in TYPES}
    if HIDES_FEE & set(faults):
        found.discard(("fee_mismatch", item.reference))
    return found | {("duplicate_line", line) for line in ids[1:]}


def pay_out(sources: tuple[Source, Source], payouts: list[str]) -> set[Finding]:
    """Report payouts and state their deposits. No two sets of payouts have the same sum."""
    amounts = {f"po_{n:06d}": Money(100_00 << n, "EUR") for n in range(len(payouts))}
    load(sources[0], report(*(payout_row(name, each.text) for name, each in amounts.items())))
    bank = bank_of()
    found = set()
    for (name, amount), fault in zip(amounts.items(), payouts, strict=True):
        if fault.startswith("deposit"):
            found.add((fault, name))
        if fault == "deposit_missing":
            continue
        arrived = amount - eur("7.50") if fault == "deposit_short" else amount
        text = "SEPA CREDIT" if fault == "unnamed" else f"PAYOUT {name}"
        for _ in range(2 if fault == "deposit_duplicate" else 1):
            bank.book(arrived, counterparty="SIM PAYMENTS", text=text)
    rent = bank.book(-eur("33.33"), counterparty="Office Rent", text="RENT")
    found.add(("unexplained_bank_line", rent))
    load(sources[1], bank.statement())
    return found


def opened() -> set[Finding]:
    return set(
        Discrepancy.objects.filter(status__in=Discrepancy.UNSETTLED).values_list(
            "type", "reference"
        )
    )


def judge(day: dict[str, Any]) -> None:
    GatewayFactory()
    sources = define_sources()
    planted = [
        (item_of(number, is_refund, amount), faults)
        for number, (is_refund, amount, faults) in enumerate(day["planted"])
        if not (is_refund and FOR_PAYMENTS & set(faults))
    ]
    blocks = [
        rows_of(item, number, faults)
        for number, (item, faults) in enumerate(planted)
        if faults != MISSING
    ]
    # Refunds of payments that are reported as they are.
    whole = [item.payment for item, _ in planted if isinstance(item, Refund)]
    blocks += [[charge(payment, f"txn_of_{payment.pk}")] for payment in whole]
    stray = SucceededPaymentFactory(money=eur("10.00"), reference="STRAY-0123456789")
    blocks.append([charge(stray, "txn_stray")])
    orphans = [f"txn_orphan_{n}" for n in range(day["orphans"])]
    blocks += [
        [charge(stray, name, **{REFERENCE: f"NOBODYS-{n:04d}-XYZ"})]
        for n, name in enumerate(orphans)
    ]
    day["order"].shuffle(blocks)
    middle = len(blocks) // 2
    as_of = stray.settlement_due_on + timedelta(days=10)
    files = [flat(blocks[:middle]), flat(blocks[middle:])]
    for number, rows in enumerate(files):
        load(sources[0], report(*rows), name=f"report {number}")
        if day["runs_between"]:
            reconcile(as_of=as_of)
    expected = pay_out(sources, day["payouts"])
    for item, faults in planted:
        number = planted.index((item, faults))
        own = {f"txn_{number}", f"txn_{number}_again"}
        ids = [row[ID] for row in flat(files) if row[ID] in own]
        expected |= expected_of(item, faults, ids)
    expected |= {("orphan_line", name) for name in orphans}

    reconcile(as_of=as_of)

    assert opened() == expected
    matched = {match.subject for match in Match.objects.filter(kind__in=["payment", "refund"])}
    assert matched == {item for item, faults in planted if faults != MISSING} | {stray, *whole}
    for when in (DAY, stray.settlement_due_on, as_of):
        assert [proof.line for proof in tie_outs(when) if proof.difference] == []
    matches = Match.objects.count()
    reconcile(as_of=as_of)
    assert (opened(), Match.objects.count()) == (expected, matches)


def flat(blocks: Iterable[list[Any]]) -> list[Any]:
    return [row for block in blocks for row in block]


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


@pytest.mark.django_db
@pytest.mark.usefixtures("books")
def test_every_pair_of_faults_on_one_payment_is_found() -> None:
    """All of them on one day."""
    order = random.Random(7)
    planted = [(False, 50_00 + 97 * number, faults) for number, faults in enumerate(FAULTS)]
    refunds = [(True, 60_00 + 97 * number, faults) for number, faults in enumerate(FAULTS)]

    judge(
        {
            "planted": planted + refunds,
            "orphans": 2,
            "payouts": list(PAYOUT_FAULTS),
            "order": order,
            "runs_between": True,
        }
    )
