"""The evening of the demo's business day: settle, pay out, take in reports, reconcile."""

import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from config.demo.payouts import pay_out
from config.demo.seed import BANK_ACCOUNTS
from ledger.actors import Actor
from ledger.money import Money
from payments.gateways.simulated_report import Fault, SimulatedPayout, close_day
from payments.models import Gateway
from reconciliation.models import ReconciliationRun, Source
from reconciliation.services.account_proofs import keep_due_proofs
from reconciliation.services.imports import import_statement
from reconciliation.services.runs import reconcile
from settlements.models import SettlementBatch
from settlements.rails.simulated_bank import SimulatedBank
from settlements.services.batches import run_settlement

COUNTERPARTY = "SIMPAY PAYMENTS"
REPORT_FAULTS = (
    Fault.MISSING,
    Fault.AMOUNT,
    Fault.FEE,
    Fault.DUPLICATE,
    Fault.ORPHAN,
    Fault.MANGLED,
)

Say = Callable[[str], None]


@dataclass(slots=True)
class Evening:
    """What happened, and what was made wrong: (discrepancy type, reference)."""

    day: date
    batches: list[SettlementBatch]
    run: ReconciliationRun
    planted: list[tuple[str, str]] = field(default_factory=list)


def next_business_day() -> date:
    """Today, or the day after the last one settled: the demo may run several times a day."""
    last = SettlementBatch.objects.order_by("-period").values_list("period", flat=True).first()
    today = timezone.now().date()
    return max(today, last + timedelta(days=1)) if last else today


@transaction.atomic
def close(*, seed: int, say: Say) -> Evening:
    """Take the day from settlement to reconciliation through the same services as in production.

    One transaction: an evening that is interrupted has not begun, for the simulators either.
    """
    day = next_business_day()
    batches = run_settlement(day, actor=Actor.system("settlement"))
    say(f"settlement of {day}: {len(batches)} batches closed")

    bank = SimulatedBank(BANK_ACCOUNTS, day)
    returned = pay_out(bank, day, say=say)

    report = close_day(Gateway.objects.get(code="simpay"), day, faults=REPORT_FAULTS, seed=seed)
    planted = report.planted + _deposit(report.payouts, bank, random.Random(seed))
    planted.append(("unexplained_bank_line", _book_rent(bank)))
    planted += [("payout_returned", payout) for payout in returned]
    _import("simpay", report.csv, f"simpay-{day}.csv", say)
    _import("simbank", bank.statement(), f"simbank-{day}.camt053.xml", say)

    run = reconcile(as_of=day)
    keep_due_proofs()
    say(f"reconciliation: {run.match_count} matches, {run.discrepancy_count} discrepancies")
    return Evening(day, batches, run, planted)


def _deposit(
    payouts: list[SimulatedPayout], bank: SimulatedBank, chance: random.Random
) -> list[tuple[str, str]]:
    """The processor's payouts arrive, but one is short, one comes twice and one not at all."""
    arriving = [payout for payout in payouts if payout.money.amount > 0]
    short, twice, lost = chance.sample(arriving, 3)
    planted = [("deposit_short", short.id), ("deposit_missing", lost.id)]
    for payout in arriving:
        money = payout.money
        if payout is lost:
            continue
        if payout is short:
            money = money - Money(250, money.currency)
        _book_deposit(bank, payout, money)
        if payout is twice:
            _book_deposit(bank, payout, money)
            planted.append(("deposit_duplicate", payout.id))
    return planted


def _book_deposit(bank: SimulatedBank, payout: SimulatedPayout, money: Money) -> None:
    bank.book(
        money,
        counterparty=COUNTERPARTY,
        end_to_end_id=payout.id,
        text=f"{COUNTERPARTY} {payout.id} {payout.merchant}",
    )


def _book_rent(bank: SimulatedBank) -> str:
    """Something on the statement that no book of ours knows; returns the bank's name for it."""
    return bank.book(Money(-125_000, "EUR"), counterparty="Office Rent GmbH", text="RENT UNIT 7")


def _import(source: str, content: bytes, name: str, say: Say) -> None:
    file, _ = import_statement(
        Source.objects.get(code=source),
        io.BytesIO(content),
        name=name,
        actor=Actor.system("demo"),
    )
    say(f"imported {name} ({file.format}): {file.line_count} lines")


def unexpected(evening: Evening) -> list[str]:
    """How what was found differs from what was planted; empty when it is exactly that."""
    found = sorted(evening.run.opened.values_list("type", "reference"))
    planted = sorted(evening.planted)
    return [
        *(f"not found: {kind} {name}" for kind, name in planted if (kind, name) not in found),
        *(f"not planted: {kind} {name}" for kind, name in found if (kind, name) not in planted),
    ]
