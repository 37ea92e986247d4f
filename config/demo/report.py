"""The demo's report on the terminal."""

from collections import Counter
from collections.abc import Iterable

from config.demo.day import Evening
from ledger.money import Money
from ledger.selectors import trial_balance
from payments.selectors import payments_by_state
from reconciliation.models import Discrepancy
from reconciliation.selectors import TieOut, matches_by_rule, tie_outs
from settlements.models import Payout, SettlementBatch


def report_lines(evening: Evening) -> list[str]:
    """Everything the day came to, section by section."""
    proofs = tie_outs(evening.day)
    return [
        *_section("Payments", (f"{state:<11} {n:>6}" for state, n in payments_by_state().items())),
        *_section("Trial balance", _trial_balance()),
        *_section("Settled and paid out", _settled(evening)),
        *_section(
            "Matches by rule",
            (
                f"{kind:<8} {rule:<28} {n:>5}"
                for (kind, rule), n in matches_by_rule(evening.run).items()
            ),
        ),
        *_section("Discrepancies of the day", _discrepancies(evening)),
        *_section("Tie-out", _tie_outs(proofs)),
        *(proof.line for proof in proofs),
    ]


def failures(evening: Evening) -> list[str]:
    """What must hold after a day and does not; empty when the day ties out."""
    return [
        *(
            f"{row.currency}: debits are not credits"
            for row in trial_balance()
            if not row.is_balanced
        ),
        *(f"does not tie out: {p.line}" for p in tie_outs(evening.day) if p.difference),
    ]


def _section(title: str, lines: Iterable[str]) -> list[str]:
    return ["", title, *(f"  {line}" for line in lines)]


def _trial_balance() -> Iterable[str]:
    for row in trial_balance():
        verdict = "balanced" if row.is_balanced else "NOT BALANCED"
        yield (
            f"{row.currency} debits {row.debits.text:>14}  credits {row.credits.text:>14}"
            f"  {row.accounts} accounts  {verdict}"
        )


def _settled(evening: Evening) -> Iterable[str]:
    batches = SettlementBatch.objects.select_related("merchant").filter(
        pk__in=[batch.pk for batch in evening.batches]
    )
    for batch in batches.order_by("merchant__code", "currency"):
        net = Money(batch.net, batch.currency)
        payout = batch.latest_payout
        status = payout.status if payout else "carried"
        kept = batch.lines.filter(reserve_held__isnull=False).first()
        reserve = f"; {Money(-kept.gross, batch.currency)} kept back" if kept else ""
        yield (
            f"{batch.merchant.code:<11} {batch.line_count:>4} lines  net {net.text:>12}"
            f" {batch.currency}  payout {batch.payout_money.text:>12} {status}{reserve}"
        )
    for came_back in Payout.objects.filter(status=Payout.Status.RETURNED, returned_on=evening.day):
        yield f"{came_back} of {came_back.merchant.code}: {came_back.money} came back, due again"


def _discrepancies(evening: Evening) -> Iterable[str]:
    opened = Discrepancy.objects.filter(opened_by=evening.run).order_by("type", "reference")
    totals = Counter(row.type for row in opened)
    for row in opened:
        yield f"{row.type:<24} {row.reference:<40} {row.money}"
    yield f"{sum(totals.values())} found, {len(evening.planted)} were planted"


def _tie_outs(proofs: list[TieOut]) -> Iterable[str]:
    for proof in proofs:
        account = proof.account
        yield f"{account.source.code} {account.identifier} {account.currency}: {proof.open} is open"
        for item in proof.open_items:
            yield f"  {item.effect.text:>12}  {item.name}"
