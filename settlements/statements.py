"""The settlement statement: how a batch takes a merchant from one balance to the next."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ledger import sql
from ledger.money import Money
from settlements.models import Payout, Settlement, SettlementBatch
from settlements.selectors import lines_of

# What lines are about, in the order of the statement.
SECTIONS = {
    "payment": "Payments",
    "refund": "Refunds",
    "dispute": "Disputes",
    "won_dispute": "Disputes won",
    "adjustment": "Adjustments",
    "reserve_held": "Reserve held back",
    "reserve_released": "Reserve released",
    "canceled_payout": "Canceled payouts",
}
LINES_PER_FETCH = 2_000


@dataclass(frozen=True, slots=True)
class Section:
    """All lines of one kind; fees are in a section of their own."""

    kind: str
    label: str
    lines: int
    amount: Money


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line; `balance` is what the merchant is owed after it."""

    kind: str
    id: str
    reference: str
    effective_at: datetime | None
    gross: Money
    fee: Money
    net: Money
    balance: Money


@dataclass(frozen=True, slots=True)
class SettlementStatement:
    """One batch: opening + all sections − payout = closing, to the minor unit."""

    batch: SettlementBatch
    sections: list[Section]
    opening: Money
    total: Money
    payout: Money
    closing: Money

    @property
    def latest_payout(self) -> Payout | None:
        payout: Payout | None = self.batch.latest_payout
        return payout

    def lines(self) -> Iterator[StatementLine]:
        """Every line in the order it joined the batch, read as it is consumed."""
        balance = self.opening
        rows = lines_of(self.batch).order_by("pk").iterator(chunk_size=LINES_PER_FETCH)
        for row in rows:
            balance = balance + self._money(row.net)
            kind = row.kind
            subject = getattr(row, kind)
            yield StatementLine(
                kind=kind,
                id=getattr(subject, "public_id", ""),
                reference=_reference(row),
                effective_at=_effective_at(row),
                gross=self._money(row.gross),
                fee=self._money(row.fee),
                net=self._money(row.net),
                balance=balance,
            )

    def _money(self, amount: int) -> Money:
        return Money(amount, self.batch.currency)


def settlement_statement(batch: SettlementBatch) -> SettlementStatement:
    """The statement of a batch, with its figures added up from its lines by the database."""
    rows = sql.rows("settlements", "sum_statement_sections", batch_id=batch.pk)
    found = {row.kind: row for row in rows}
    sections = [
        Section(kind, label, found[kind].lines, Money(found[kind].gross, batch.currency))
        for kind, label in SECTIONS.items()
        if kind in found
    ]
    with_fee = [row for row in rows if row.fee]
    if with_fee:
        fee = Money(-sum(row.fee for row in rows), batch.currency)
        sections.append(Section("fee", "Fees", sum(row.lines for row in with_fee), fee))
    opening = Money(batch.carried_in, batch.currency)
    total = sum((section.amount for section in sections), Money(0, batch.currency))
    return SettlementStatement(
        batch=batch,
        sections=sections,
        opening=opening,
        total=total,
        payout=batch.payout_money,
        closing=opening + total - batch.payout_money,
    )


def _reference(row: Settlement) -> str:
    """What the merchant knows it by."""
    if row.payment:
        return row.payment.reference
    if row.refund:
        return row.refund.payment.reference
    dispute = row.dispute or row.won_dispute
    if dispute:
        return dispute.payment.reference
    if row.adjustment:
        return row.adjustment.reason
    held = row.reserve_held or row.reserve_released
    return f"held on {held.held_on} until {held.release_on}" if held else ""


def _effective_at(row: Settlement) -> datetime | None:
    if row.canceled_payout:
        return row.canceled_payout.canceled_at
    if row.won_dispute:
        return row.won_dispute.won_at
    subject = row.payment or row.refund or row.dispute or row.adjustment
    return subject.effective_at if subject else None
