"""What a tie-out report has beside the proof, each section read as known at a moment."""

from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import Q

from ledger import sql
from ledger.models import Account
from ledger.money import Money
from ledger.selectors import balances_of, trial_balance_accounts
from reconciliation.bookkeeping import deposits_in_transit
from reconciliation.days import end_of
from reconciliation.models import SourceAccount
from settlements.bookkeeping import payouts_in_transit

Report = dict[str, Any]

# What stands in the trial balance for a merchant, wallet or other owner.
ANY_OWNER = "*"
FIRST_DAY = date(1, 1, 1)


def trial_balance(account: SourceAccount, day: date, known_at: datetime) -> Report:
    """All accounts of the currency, those of owners summed by what they are for."""
    currency = account.currency
    as_of = end_of(day, account.source.time_zone) - timedelta(microseconds=1)
    accounts = [
        (_without_owner(row.code) if row.owner else row.code, row)
        for row in trial_balance_accounts(as_of=as_of, known_at=known_at)
        if row.currency == currency
    ]
    accounts.sort(key=lambda named: named[0])
    none = Money(0, currency)
    rows = []
    for code, group in groupby(accounts, key=lambda named: named[0]):
        members = [row for _, row in group]
        rows.append(
            {
                "account": code,
                "accounts": len(members),
                "debits": sum((row.debits for row in members), none).text,
                "credits": sum((row.credits for row in members), none).text,
            }
        )
    return {
        "accounts": rows,
        "debits": sum((row.debits for _, row in accounts), none).text,
        "credits": sum((row.credits for _, row in accounts), none).text,
    }


def _without_owner(code: str) -> str:
    """`merchant:shop-1:payable:EUR` as `merchant:*:payable:EUR`."""
    kind, _, rest = code.partition(":")
    _, colon, purpose = rest.partition(":")
    return f"{kind}:{ANY_OWNER}{colon}{purpose}"


def control_totals(account: SourceAccount, day: date, known_at: datetime) -> Report:
    """What the day's lines come to, and what the statements of the day say themselves."""
    where = {"source_account_id": account.pk, "day": day, "known_at": known_at}
    (lines,) = sql.rows("reconciliation", "sum_lines_of_day", **where)

    def text(amount: int | None) -> str:
        return "" if amount is None else Money(amount, account.currency).text

    return {
        "lines": {
            "count": lines.lines,
            "credits": text(lines.credits),
            "debits": text(lines.debits),
            "gross": text(lines.gross),
            "fee": text(lines.fee),
            "net": text(lines.net),
        },
        "statements": [
            {
                "file": row.file,
                "sha256": row.sha256,
                "number": row.number,
                "identifier": row.identifier,
                "sequence": row.sequence,
                "first_day": row.first_day.isoformat(),
                "last_day": row.last_day.isoformat(),
                "opening": text(row.opening_balance),
                "closing": text(row.closing_balance),
                "lines": row.line_count,
                "net": text(row.net),
            }
            for row in sql.rows("reconciliation", "list_statements_of_day", **where)
        ],
    }


def roll_forward(account: SourceAccount, day: date, known_at: datetime) -> Report:
    """Discrepancies by type and currency: opening + new - resolved = closing."""
    common = {"source_account_id": account.pk, "day": day, "known_at": known_at}
    (previous,) = sql.rows(
        "reconciliation", "find_previous_day", source_code=account.source.code, **common
    )
    rows = sql.rows(
        "reconciliation",
        "roll_discrepancies_forward",
        source_id=account.source_id,
        currency=account.currency,
        zone=account.source.zone,
        previous_day=previous.day or FIRST_DAY,
        **common,
    )
    return {
        "previous_day": previous.day.isoformat() if previous.day else "",
        "types": [
            {
                "type": row.type,
                "currency": row.currency,
                **{
                    step: {
                        "count": getattr(row, f"{step}_count"),
                        "amount": Money(getattr(row, f"{step}_amount"), row.currency).text,
                    }
                    for step in ("opening", "new", "resolved", "closing")
                },
            }
            for row in rows
        ],
    }


def sub_ledgers(account: SourceAccount, day: date, known_at: datetime) -> list[Report]:
    """Money in transit by payout: a processor's own deposits, or all that a bank may see."""
    gateway, currency = account.source.gateway, account.currency
    if gateway is not None:
        codes = Q(code=deposits_in_transit(gateway.code, currency).code)
    else:
        prefix = deposits_in_transit("", currency).code.removesuffix(f":{currency}")
        codes = Q(code__startswith=prefix) | Q(code=payouts_in_transit(currency).code)
    accounts = Account.objects.filter(codes, owner="", currency=currency).order_by("code")
    end = end_of(day, account.source.time_zone)
    balances = balances_of(accounts, as_of=end - timedelta(microseconds=1), known_at=known_at)
    ledgers = [
        _sub_ledger(each, balances[each.pk], account.source.zone, end, known_at)
        for each in accounts
    ]
    # An account that nothing ever moved on may have been opened since.
    return [each for each in ledgers if each["items"] or each["balance"] != each["sum"]]


def _sub_ledger(
    ledger_account: Account, balance: Money, zone: str, end: datetime, known_at: datetime
) -> Report:
    rows = sql.rows(
        "reconciliation",
        "list_in_transit",
        account_id=ledger_account.pk,
        normal_side=ledger_account.normal_side,
        zone=zone,
        end_of_day=end,
        known_at=known_at,
    )
    currency = ledger_account.currency
    return {
        "account": ledger_account.code,
        "balance": balance.text,
        "sum": Money(sum(row.amount for row in rows), currency).text,
        "items": [
            {
                "matter": row.matter,
                "name": row.name,
                "since": row.since.isoformat(),
                "due_on": row.due_on.isoformat() if row.due_on else "",
                "amount": Money(row.amount, currency).text,
            }
            for row in rows
        ],
    }
