"""What else a line or payment could have been matched to, and matching the two by hand."""

from dataclasses import dataclass
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from ledger.actors import Actor
from ledger.admin.base import ReasonForm
from ledger.money import Money
from payments.models import Payment, Refund
from reconciliation.explanations import REASONS, explain_open_item
from reconciliation.models import Discrepancy, Match, Source, StatementLine
from reconciliation.services.hand_matching import match_by_hand
from reconciliation.subjects import line_by_id, subject_by_id

TEXT_LENGTH_MAX = 120


class MatchForm(ReasonForm):
    line = forms.CharField(
        max_length=TEXT_LENGTH_MAX, widget=UnfoldAdminTextInputWidget, help_text="stl_…"
    )
    subject = forms.CharField(
        max_length=TEXT_LENGTH_MAX,
        widget=UnfoldAdminTextInputWidget,
        help_text="The id of a payment, refund, dispute or payout; or of a processor's payout.",
    )
    amount = forms.CharField(
        required=False,
        max_length=TEXT_LENGTH_MAX,
        widget=UnfoldAdminTextInputWidget,
        help_text="Of a bank line only: the part that it uses. Empty: as much as is left.",
    )
    field_order = ("line", "subject", "amount", "reason")


@dataclass(frozen=True, slots=True)
class Shown:
    """A candidate in words."""

    line: str
    subject: str
    reference: str
    evidence: str
    against: tuple[str, ...]


def open_item_of(discrepancy: Discrepancy) -> StatementLine | Payment | Refund | None:
    """What of it has no other side yet, if a processor reports on it."""
    if discrepancy.source.kind != Source.Kind.PROCESSOR_REPORT:
        return None
    line = discrepancy.line
    if line is not None:
        return None if line.matches.exists() else line
    subject = discrepancy.refund or discrepancy.payment
    return None if subject is None or hasattr(subject, "match") else subject


def candidates_of(discrepancy: Discrepancy) -> list[Shown]:
    item = open_item_of(discrepancy)
    found = explain_open_item(item) if item is not None else []
    return [
        Shown(
            each.line,
            each.subject,
            each.reference,
            each.evidence.replace("_", " "),
            tuple(REASONS[reason] for reason in each.reasons),
        )
        for each in found
    ]


def match_as_asked(
    discrepancy: Discrepancy, *, actor: Actor, line: str, subject: str, amount: str, reason: str
) -> Match:
    """Raises what `match_by_hand` raises, and StatementLineNotFound and SubjectNotFound."""
    found = line_by_id(line)
    part = Money.of(amount, found.currency) if amount else None
    return match_by_hand(found, subject_by_id(subject), reason=reason, actor=actor, amount=part)


def initial_of(discrepancy: Discrepancy, asked: Any) -> dict[str, str]:
    """What is known of the two sides before anybody types: what was clicked, else what is open."""
    item = open_item_of(discrepancy)
    is_line = isinstance(item, StatementLine)
    line = item.public_id if is_line and item is not None else ""
    subject = item.public_id if item is not None and not is_line else ""
    if discrepancy.line is not None:
        line = discrepancy.line.public_id
    return {"line": asked.get("line") or line, "subject": asked.get("subject") or subject}
