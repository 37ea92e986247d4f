"""What the page of a discrepancy shows: both sides, the records it hangs on, and what was done."""

from dataclasses import dataclass
from datetime import datetime
from itertools import chain as joined
from typing import Any

from ledger.models import AuditEvent
from ledger.money import Money
from payments.models import Dispute, Payment, Refund
from reconciliation.admin.chains import Link, chain_for, link_to, matched_line, may_view, url_of
from reconciliation.models import Discrepancy, StatementLine

NOTHING = "—"
Side = dict[str, object]


@dataclass(frozen=True, slots=True)
class Row:
    """One field as we have it and as they report it."""

    label: str
    ours: object
    theirs: object

    @property
    def differs(self) -> bool:
        is_told = NOTHING not in (self.ours, self.theirs)
        return self.label in COMPARED and is_told and self.ours != self.theirs


# Their names, states and texts are never ours; these should be.
COMPARED = ("Reference", "Amount", "Fee", "Day")


@dataclass(frozen=True, slots=True)
class Happening:
    at: datetime
    who: str
    what: str
    text: str


def sides(discrepancy: Discrepancy) -> list[Row]:
    """Our record and their line, field by field; a side that is missing has no values."""
    ours, theirs = _ours(discrepancy), _theirs(_line(discrepancy))
    labels = dict.fromkeys(joined(ours, theirs))
    return [Row(label, ours.get(label, NOTHING), theirs.get(label, NOTHING)) for label in labels]


def _ours(discrepancy: Discrepancy) -> Side:
    subject = _subject(discrepancy)
    if subject is not None:
        return _of_subject(subject)
    payout = discrepancy.processor_payout
    if payout is not None:
        return {
            "Id": payout.external_id,
            "Amount": payout.money,
            "Day": payout.due_on,
            "State": "announced by the processor",
        }
    own = discrepancy.payout
    if own is not None:
        return {"Id": own.public_id, "Amount": own.money, "Day": own.sent_at, "State": own.status}
    return {}


def _of_subject(subject: Payment | Refund | Dispute) -> Side:
    is_payment = isinstance(subject, Payment)
    effective = subject.effective_at
    side: Side = {
        "Id": subject.public_id,
        "Reference": subject.reference,
        "Amount": subject.money if is_payment else -subject.money,
    }
    fee, currency = (
        getattr(subject, "processor_fee_expected", None),
        getattr(subject, "processor_fee_currency", ""),
    )
    if fee is not None and currency:
        side["Fee"] = Money(fee, currency)
    return side | {
        "Effective": effective or NOTHING,
        "Expected by": getattr(subject, "settlement_due_on", None) or NOTHING,
        "State": subject.status,
        "Merchant": subject.merchant.code,
    }


def _theirs(line: StatementLine | None) -> Side:
    if line is None:
        return {}
    currency = line.currency
    side: Side = {"Id": line.external_id or line.public_id, "Reference": line.reference or NOTHING}
    if line.kind == StatementLine.Kind.ENTRY:
        return side | {
            "Amount": line.net_money,
            "Day": line.booked_on,
            "State": "booked by the bank",
            "Counterparty": line.counterparty or NOTHING,
            "Text": line.text or NOTHING,
        }
    shown = line.presentment_amount
    return side | {
        "Amount": Money(shown, line.presentment_currency)
        if shown is not None and line.presentment_currency
        else Money(line.gross, currency),
        "Fee": Money(line.fee, currency),
        "Effective": line.booked_on,
        "State": f"reported as {line.kind}",
        "Net": line.net_money,
        "Merchant": line.merchant or NOTHING,
        "Text": line.text or NOTHING,
    }


def _subject(discrepancy: Discrepancy) -> Payment | Refund | Dispute | None:
    return discrepancy.refund or discrepancy.payment or getattr(discrepancy, "dispute", None)


def _line(discrepancy: Discrepancy) -> StatementLine | None:
    """The line it is about; else the one its subject is matched to."""
    if discrepancy.line is not None:
        return discrepancy.line
    for record in (_subject(discrepancy), discrepancy.processor_payout, discrepancy.payout):
        line = matched_line(record)
        if line is not None:
            return line
    return None


def chain(discrepancy: Discrepancy, user: Any) -> list[Link]:
    """What hangs on its payment, or else on its payout or line; itself is not told again."""
    line = discrepancy.line
    record = _subject(discrepancy) or discrepancy.processor_payout or discrepancy.payout or line
    links = chain_for(user, record) if record else []
    is_there = line is None or any(each.text == line.public_id for each in links)
    if line is not None and not is_there and user.has_perm(may_view(line)):
        links.append(link_to(line, f"{line.net_money} on {line.booked_on}"))
    own = url_of(discrepancy)
    return [each for each in links if each.url != own]


def happenings(discrepancy: Discrepancy) -> list[Happening]:
    """Notes and steps, newest first; steps of its write-offs too."""
    notes = [
        Happening(note.created_at, note.author, "note", note.text)
        for note in discrepancy.notes.all()
    ]
    subjects = [
        discrepancy.public_id,
        *discrepancy.write_offs.values_list("public_id", flat=True),
    ]
    events = AuditEvent.objects.filter(subject__in=subjects).exclude(action="discrepancy.noted")
    steps = [
        Happening(
            event.created_at,
            f"{event.actor_kind}:{event.actor_label}",
            event.action.partition(".")[2].replace("_", " "),
            event.reason,
        )
        for event in events
    ]
    return sorted(notes + steps, key=lambda each: each.at, reverse=True)


def page_context(discrepancy: Discrepancy, user: Any) -> dict[str, Any]:
    return {
        "sides": sides(discrepancy),
        "chain": chain(discrepancy, user),
        "happenings": happenings(discrepancy),
        "proposals": discrepancy.write_offs.all(),
    }
