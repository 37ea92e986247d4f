"""Who did what with one account: changes of it, transfers asked for, and what was posted."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from ledger.models import Account, AuditEvent, JournalEntry, Posting
from ledger.money import Money
from payments.models import Transfer

Place = list[int]
Places = dict[str, Place]


@dataclass(frozen=True, slots=True)
class TrailEvent:
    """Something that was done. `actor` is None where nobody is known to have asked for it."""

    id: str
    at: datetime
    action: str
    actor: str | None
    subject: str
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    branch: str = ""
    place: Place = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TrailPage:
    """Some events, the newest first, and where each branch goes on; None after the last page."""

    events: list[TrailEvent]
    next_places: Places | None


def account_trail(account: Account, *, places: Places | None = None, limit: int) -> TrailPage:
    """The next `limit` events after these places, or the newest ones.

    Each branch is in the order it was written, which one index serves; the branches are merged by
    time.
    """
    places = dict(places or {})
    branches = [read(account, places.get(name), limit + 1) for name, read in BRANCHES.items()]
    merged = heapq.merge(*branches, key=lambda event: event.at, reverse=True)
    page = list(islice(merged, limit + 1))
    for event in page[:limit]:
        places[event.branch] = event.place
    return TrailPage(page[:limit], places if len(page) > limit else None)


def _changes(account: Account, place: Place | None, limit: int) -> list[TrailEvent]:
    rows = AuditEvent.objects.filter(subject=account.public_id).order_by("-id")
    if place is not None:
        rows = rows.filter(pk__lt=place[0])
    return [
        TrailEvent(
            id=f"audit.{row.pk}",
            at=row.created_at,
            action=row.action,
            actor=f"{row.actor_kind}:{row.actor_label}",
            subject=row.subject,
            reason=row.reason,
            details={"before": row.before, "after": row.after, "request_id": row.request_id},
            branch="changes",
            place=[row.pk],
        )
        for row in rows[:limit]
    ]


def _transfers_out(account: Account, place: Place | None, limit: int) -> list[TrailEvent]:
    return _transfers("source_account", account, place, limit)


def _transfers_in(account: Account, place: Place | None, limit: int) -> list[TrailEvent]:
    return _transfers("destination_account", account, place, limit)


def _transfers(side: str, account: Account, place: Place | None, limit: int) -> list[TrailEvent]:
    rows = (
        Transfer.objects.filter(**{side: account})
        .select_related("source_account", "destination_account")
        .order_by("-id")
    )
    if place is not None:
        rows = rows.filter(pk__lt=place[0])
    return [
        TrailEvent(
            id=row.public_id,
            at=row.created_at,
            action="transfer.requested" if row.refund_of_id is None else "transfer.refunded",
            actor=row.created_by,
            subject=row.public_id,
            reason=row.reason,
            details={
                "source_account_id": row.source_account.public_id,
                "destination_account_id": row.destination_account.public_id,
                "amount": row.money.text,
                "status": row.status,
            },
            branch=side,
            place=[row.pk],
        )
        for row in rows[:limit]
    ]


def _postings(account: Account, place: Place | None, limit: int) -> list[TrailEvent]:
    rows = Posting.objects.filter(account=account).order_by("-entry_id", "-position")
    if place is not None:
        entry_id, position = place
        rows = rows.filter(entry_id__lte=entry_id).exclude(
            entry_id=entry_id, position__gte=position
        )
    page = list(rows[:limit])
    entries = JournalEntry.objects.in_bulk({row.entry_id for row in page})
    requesters = dict(
        Transfer.objects.filter(
            public_id__in={entry.reference for entry in entries.values()}
        ).values_list("public_id", "created_by")
    )
    events = []
    for row in page:
        entry = entries[row.entry_id]
        events.append(
            TrailEvent(
                id=f"{entry.public_id}.{row.position}",
                at=entry.posted_at,
                action=f"{entry.kind}.posted",
                actor=requesters.get(entry.reference),
                subject=entry.reference,
                details={
                    "journal_entry_id": entry.public_id,
                    "direction": row.direction,
                    "amount": Money(row.amount, account.currency).text,
                },
                branch="postings",
                place=[row.entry_id, row.position],
            )
        )
    return events


BRANCHES: dict[str, Callable[[Account, Place | None, int], list[TrailEvent]]] = {
    "changes": _changes,
    "source_account": _transfers_out,
    "destination_account": _transfers_in,
    "postings": _postings,
}
