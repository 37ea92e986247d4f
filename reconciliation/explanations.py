"""Why something matched, and why something else did not: the same answer each time it is asked."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from ledger import sql
from ledger.money import Money
from payments.models import Dispute, Payment, Refund
from reconciliation.matching_rules import EXACT, IN_TEXT, NORMALISED, TRUNCATED
from reconciliation.models import Match, ProcessorPayout, StatementLine
from reconciliation.subjects import Subject, name_of_subject
from settlements.models import Payout

CANDIDATES_MAX = 20
AMOUNT = "amount"  # no rule by itself: the amount alone proves nothing
EVIDENCE = {1: EXACT.name, 2: NORMALISED.name, 3: IN_TEXT.name, 4: TRUNCATED.name, 5: AMOUNT}
# What speaks against a candidate, in words.
REASONS = {
    "undone": "a person took the two apart",
    "matched": "it has its line already",
    "used": "the line is matched to something else",
    "other_merchant": "the line names another merchant",
    "other_kind": "the line is of another kind",
    "not_final": "it has not succeeded",
    "settled_elsewhere": "it was settled elsewhere",
    "reference_differs": "the line has a reference, and another one: an amount is no proof",
    "due_date_differs": "without a reference, the day must agree too",
    "ambiguous": "others fit as well, and nobody may guess",
    "too_short": "fewer than 12 characters of the reference are left",
}
TRUNCATED_MIN = 12
# What a cut reference may be about all the same.
SETTLED = {"matched", "settled_elsewhere"}


@dataclass(frozen=True, slots=True)
class Compared:
    """One field of both sides, as texts."""

    field: str
    ours: str
    theirs: str

    @property
    def is_equal(self) -> bool:
        return self.ours == self.theirs


@dataclass(frozen=True, slots=True)
class MatchExplanation:
    """By which rule, in which version, on what evidence; and how the two sides compare."""

    rule: str
    version: int
    evidence: dict[str, Any]
    compared: tuple[Compared, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One side that could have been the other one's, and why it is not (codes of REASONS).

    No reason: nothing speaks against it, and the next run takes it.
    """

    line: str
    kind: str
    subject: str
    reference: str
    evidence: str
    reasons: tuple[str, ...]


def explain_match(match: Match) -> MatchExplanation:
    return MatchExplanation(
        match.rule, match.rule_version, match.evidence, _compared(match.subject, match.line)
    )


def _compared(subject: Subject, line: StatementLine) -> tuple[Compared, ...]:
    if isinstance(subject, ProcessorPayout | Payout):
        sign = -1 if isinstance(subject, Payout) else 1
        return (
            Compared("id", name_of_subject(subject), f"{line.reference} {line.text}".strip()),
            Compared("amount", str(Money(sign * subject.amount, subject.currency)), _net(line)),
        )
    is_back = line.kind == StatementLine.Kind.DISPUTE_REVERSAL
    amount = subject.money if is_back else _amount(subject)
    shown = line.gross if line.presentment_amount is None else line.presentment_amount
    theirs = Money(shown, line.presentment_currency or line.currency)
    payment = subject.payment if isinstance(subject, Dispute) else subject
    fields = [
        Compared("reference", payment.reference, line.reference),
        Compared("merchant", subject.merchant.code, line.merchant),
        Compared("amount", str(amount), str(theirs)),
    ]
    if isinstance(subject, Payment | Refund):
        fee, currency = subject.processor_fee_expected, subject.processor_fee_currency
        expected = str(Money(fee, currency)) if fee is not None and currency else ""
        fields += [
            Compared("fee", expected, str(Money(line.fee, line.currency))),
            Compared("due", str(subject.settlement_due_on or ""), str(line.value_on)),
        ]
    return tuple(fields)


def _amount(subject: Payment | Refund | Dispute) -> Money:
    """Signed as the processor reports it."""
    return subject.captured_money if isinstance(subject, Payment) else -subject.money


def _net(line: StatementLine) -> str:
    return str(line.net_money)


def explain_open_item(item: StatementLine | Payment | Refund) -> list[Candidate]:
    """The candidates of a report's line, or of a payment or refund, and why each was not taken.

    Best first, CANDIDATES_MAX of them. Reads all payments or lines of the gateway.
    """
    which: dict[str, int | None] = {"line_id": None, "payment_id": None, "refund_id": None}
    if isinstance(item, StatementLine):
        which["line_id"] = item.pk
        gateway_id = item.source_account.source.gateway_id
    elif isinstance(item, Payment):
        which["payment_id"], gateway_id = item.pk, item.gateway_id
    else:
        which["refund_id"], gateway_id = item.pk, item.payment.gateway_id
    rows = sql.rows(
        "reconciliation",
        "explain_candidates",
        gateway_id=gateway_id,
        limit=CANDIDATES_MAX,
        **which,
    )
    against = [_against(row) for row in rows]
    free = Counter(
        row.rank
        for row, reasons in zip(rows, against, strict=True)
        if not reasons or (EVIDENCE[row.rank] == TRUNCATED.name and SETTLED.issuperset(reasons))
    )
    return [
        Candidate(
            line=f"stl_{row.line_id}",
            kind=row.item_kind,
            subject=row.public_id,
            reference=row.reference,
            evidence=EVIDENCE[row.rank],
            reasons=tuple(reasons or (["ambiguous"] if free[row.rank] > 1 else [])),
        )
        for row, reasons in zip(rows, against, strict=True)
    ]


def _against(row: Any) -> list[str]:
    is_by_amount = EVIDENCE[row.rank] == AMOUNT
    found = {
        "undone": row.is_undone,
        "matched": row.item_has_line is not None,
        "used": row.line_is_used and row.item_has_line != row.line_id,
        "other_merchant": row.is_other_merchants,
        "other_kind": row.line_kind != row.wanted_kind,
        "not_final": row.status != Payment.Status.SUCCEEDED,
        "settled_elsewhere": row.is_settled_elsewhere,
        "reference_differs": is_by_amount and row.reported != "",
        "due_date_differs": is_by_amount
        and row.reported == ""
        and row.settlement_due_on != row.value_on,
        "too_short": EVIDENCE[row.rank] == TRUNCATED.name
        and len(row.reported.strip()) < TRUNCATED_MIN,
    }
    return [code for code, is_so in found.items() if is_so]
