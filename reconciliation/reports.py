"""The tie-out report of one account and day: plain data, the same whenever it is computed.

Everything in it is read as known at a moment: entries by when they were posted, lines by when their
file was loaded or they were corrected, matches and discrepancies by when they were made and undone.
Amounts are texts in major units, days and moments ISO 8601.
"""

import hashlib
import json
from datetime import UTC, date, datetime

from ledger import sql
from ledger.money import Money
from reconciliation.days import end_of
from reconciliation.models import SourceAccount
from reconciliation.report_sections import (
    Report,
    control_totals,
    roll_forward,
    sub_ledgers,
    trial_balance,
)
from reconciliation.stated import StatedBalance, read_stated

# Of the report's shape; another shape is another format.
FORMAT = "tieout.report/1"


def known_horizon() -> datetime:
    """The latest moment nobody can add to any more: a report as known then never changes.

    Older than the transaction that runs longest beside this one.
    """
    (row,) = sql.rows("reconciliation", "read_known_horizon")
    known_at: datetime = row.known_at
    return known_at


def tie_out_report(account: SourceAccount, *, day: date, known_at: datetime) -> Report:
    """What the books and the source say of an account at the end of a day, and why they differ.

    `difference` is what no open item explains: anything but zero means the proof failed.
    """
    stated = read_stated(account, day=day, known_at=known_at)
    items = _open_items(account, day, known_at, stated)
    book = _book(account, day, known_at)
    opened = sum((item.pop("money") for item in items), Money(0, account.currency))
    return {
        "format": FORMAT,
        "source": account.source.code,
        "account": account.identifier,
        "currency": account.currency,
        "day": day.isoformat(),
        "known_at": known_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "book": book.text,
        "statement": stated.balance.text,
        "open": opened.text,
        "difference": (book - stated.balance - opened).text,
        "open_items": items,
        "trial_balance": trial_balance(account, day, known_at),
        "control_totals": control_totals(account, day, known_at),
        "roll_forward": roll_forward(account, day, known_at),
        "sub_ledgers": sub_ledgers(account, day, known_at),
    }


def canonical(report: Report | list[Report]) -> str:
    """The one text that this report has: JSON with sorted keys and no blanks, in UTF-8."""
    return json.dumps(report, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def content_hash(content: str) -> str:
    """SHA-256 of the text, as `sha256sum` prints it."""
    return hashlib.sha256(content.encode()).hexdigest()


def _book(account: SourceAccount, day: date, known_at: datetime) -> Money:
    (row,) = sql.rows(
        "reconciliation",
        "book_balance",
        account_id=account.ledger_account_id,
        end_of_day=end_of(day, account.source.time_zone),
        known_at=known_at,
    )
    return Money(row.balance, account.currency)


def _open_items(
    account: SourceAccount, day: date, known_at: datetime, stated: StatedBalance
) -> list[Report]:
    rows = sql.rows(
        "reconciliation",
        "list_open_items",
        account_id=account.ledger_account_id,
        source_account_id=account.pk,
        source_id=account.source_id,
        zone=account.source.zone,
        day=day,
        end_of_day=end_of(day, account.source.time_zone),
        known_at=known_at,
        opening=stated.opening.amount,
    )
    items = [
        _item(
            row.matter,
            row.reference or row.line_name or row.matter,
            types=row.types.split(),
            booked=Money(row.booked, account.currency),
            stated=Money(row.stated, account.currency),
            since=row.since,
            day=day,
        )
        for row in rows
    ]
    if stated.gap:
        items.append(
            _item(
                "balance_gap",
                f"balance gap {stated.gap_statement}",
                types=["balance_gap"],
                booked=Money(0, account.currency),
                stated=stated.gap,
                since=stated.gap_since,
                day=day,
            )
        )
    return items


def _item(
    matter: str,
    name: str,
    *,
    types: list[str],
    booked: Money,
    stated: Money,
    since: date | None,
    day: date,
) -> Report:
    effect = booked - stated
    return {
        "matter": matter,
        "name": name,
        "types": types,
        "booked": booked.text,
        "stated": stated.text,
        "effect": effect.text,
        "since": since.isoformat() if since else "",
        "age_days": max((day - since).days, 0) if since else 0,
        "money": effect,
    }
