"""The close pack: what the books said at the end of a period, under one hash."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.db.models import Count, F, Min, Q, QuerySet, Sum

from ledger.entries import Direction
from ledger.errors import ClosePackMissing, PeriodNotFound
from ledger.models import AccountingPeriod, Hold, JournalEntry, Posting, Seal
from ledger.money import Money
from ledger.selectors import (
    TrialBalanceAccount,
    TrialBalanceRow,
    trial_balance,
    trial_balance_accounts,
)
from ledger.spreadsheets import as_text

VERSION = 1
CSV_COLUMNS = "section name owner type currency count debits credits amount text".split()
TEXT_COLUMNS = {"name", "owner", "type", "text"}

Row = dict[str, Any]


def build_close_pack(
    period: AccountingPeriod, *, open_items: Sequence[Row], expected_empty: Sequence[str]
) -> Row:
    """What the books say at the end of a closed period, amounts in major units as text.

    The caller keeps the period closed meanwhile. `sha256` is of everything else in it.
    """
    accounts = trial_balance_accounts(as_of=period.last_moment)
    pack = {
        "version": VERSION,
        "code_sha256": code_sha256(),
        "period": {"code": period.code, "starts_at": period.starts_at, "ends_at": period.ends_at},
        "closed_by": period.closed_by,
        "closed_at": period.closed_at,
        "head_seal": _head_seal(),
        "control_totals": _control_totals(period),
        "trial_balance": [_figures(row) for row in trial_balance(as_of=period.last_moment)],
        "accounts": [_account(row) for row in accounts],
        "not_empty": [
            _account(row)
            for row in accounts
            if row.code.startswith(tuple(expected_empty)) and row.balance
        ],
        "open_holds": _open_holds(),
        "open_items": open_items,
    }
    plain: Row = json.loads(json.dumps(pack, default=_plain))
    return {**plain, "sha256": sha256_of(plain)}


def close_pack_of(code: str) -> Row:
    """What the books said when the period was last closed.

    Raises PeriodNotFound and ClosePackMissing.
    """
    period = AccountingPeriod.objects.filter(code=code).first()
    if period is None:
        raise PeriodNotFound(code)
    if not period.close_pack:
        raise ClosePackMissing(period)
    pack: Row = period.close_pack
    return pack


def sha256_of(pack: Row) -> str:
    """SHA-256 over the canonical JSON of a pack (sorted keys, no spaces), without its own hash."""
    content = {name: value for name, value in pack.items() if name != "sha256"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def code_sha256() -> str:
    """SHA-256 of the ledger's own sources: which code summed it up."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".sql")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def as_json(pack: Row) -> str:
    return json.dumps(pack, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def as_csv(pack: Row) -> str:
    """The pack as one table; `section` says what a row is about."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, CSV_COLUMNS, restval="")
    writer.writeheader()
    for row in _csv_rows(pack):
        writer.writerow({column: _cell(column, value) for column, value in row.items()})
    return text.getvalue()


def _csv_rows(pack: Row) -> Iterator[Row]:
    period, totals, seal = pack["period"], pack["control_totals"], pack["head_seal"]
    for name in ("code", "starts_at", "ends_at"):
        yield {"section": "period", "name": name, "text": period[name]}
    for name in ("closed_by", "closed_at", "code_sha256", "sha256"):
        yield {"section": "pack", "name": name, "text": pack[name]}
    if seal:
        yield {"section": "head_seal", "count": seal["number"], "text": seal["hash"]}
    for name in ("entries", "postings", "late_entries"):
        yield {"section": "control_total", "name": name, "count": totals[name]}
    for row in totals["by_kind"]:
        figures = {name: row[name] for name in ("currency", "debits", "credits")}
        kind = {"name": row["kind"], "count": row["entries"]}
        yield {"section": "control_total_by_kind", **kind, **figures}
    for row in pack["trial_balance"]:
        yield {"section": "trial_balance", **row}
    for section in ("accounts", "not_empty"):
        for row in pack[section]:
            named = {name: value for name, value in row.items() if name not in ("code", "balance")}
            yield {"section": section, "name": row["code"], "amount": row["balance"], **named}
    for row in pack["open_holds"]:
        named = {"name": row["code"], "owner": row["owner"], "currency": row["currency"]}
        amounts = {"count": row["holds"], "amount": row["remaining"]}
        yield {"section": "open_holds", **named, **amounts}
    for row in pack["open_items"]:
        yield {"section": "open_items", **_open_item(row)}


def _open_item(item: Row) -> Row:
    known = {name: item.get(name, "") for name in ("type", "currency", "amount")}
    return {"name": item.get("reference") or item.get("id", ""), **known}


def _cell(column: str, value: Any) -> Any:
    return as_text(str(value)) if column in TEXT_COLUMNS else value


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _head_seal() -> Row | None:
    seal = Seal.objects.first()
    if seal is None:
        return None
    return {
        "number": seal.number,
        "hash": bytes(seal.hash).hex(),
        "last_entry_id": seal.last_entry_id,
    }


def _control_totals(period: AccountingPeriod) -> Row:
    """How much took effect in the period itself."""
    entries = JournalEntry.objects.filter(
        effective_at__gte=period.starts_at, effective_at__lt=period.ends_at
    )
    counts = entries.aggregate(
        entries=Count("pk"), late_entries=Count("late_from"), postings=Sum("posting_count")
    )
    postings = Posting.objects.filter(
        entry__effective_at__gte=period.starts_at, entry__effective_at__lt=period.ends_at
    ).annotate(currency=F("account__currency"), kind=F("entry__kind"))
    return {
        "entries": counts["entries"],
        "postings": counts["postings"] or 0,
        "late_entries": counts["late_entries"],
        "by_kind": _sums(postings, "kind", "currency"),
        "by_currency": _sums(postings, "currency"),
    }


def _sums(postings: QuerySet[Posting], *by: str) -> list[Row]:
    totals = (
        postings.values(*by)
        .annotate(
            entries=Count("entry", distinct=True),
            postings=Count("*"),
            debits=Sum("amount", default=0, filter=Q(direction=Direction.DEBIT)),
            credits=Sum("amount", default=0, filter=Q(direction=Direction.CREDIT)),
        )
        .order_by(*by)
    )
    return [
        {
            **row,
            "debits": Money(int(row["debits"]), row["currency"]).text,
            "credits": Money(int(row["credits"]), row["currency"]).text,
        }
        for row in totals
    ]


def _figures(row: TrialBalanceRow | TrialBalanceAccount) -> Row:
    return {"currency": row.currency, "debits": row.debits.text, "credits": row.credits.text}


def _account(row: TrialBalanceAccount) -> Row:
    return {
        "code": row.code,
        "owner": row.owner,
        "type": str(row.type),
        **_figures(row),
        "balance": row.balance.text,
    }


def _open_holds() -> list[Row]:
    """What open holds still keep, per account, at the time of closing."""
    held = (
        Hold.objects.filter(status=Hold.Status.HELD)
        .values("account__owner", "account__code", "account__currency")
        .annotate(
            holds=Count("pk"), kept=Sum(F("amount") - F("captured")), oldest=Min("created_at")
        )
        .order_by("account__owner", "account__code")
    )
    return [
        {
            "code": row["account__code"],
            "owner": row["account__owner"],
            "currency": row["account__currency"],
            "holds": row["holds"],
            "remaining": Money(int(row["kept"]), row["account__currency"]).text,
            "oldest": row["oldest"],
        }
        for row in held
    ]
