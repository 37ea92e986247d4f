"""manage.py trial_balance [--accounts] [--as-of WHEN] [--known-at WHEN] [--csv | --json]"""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from ledger.commands import ServiceCommand
from ledger.management.listings import as_csv, end
from ledger.selectors import (
    TrialBalanceAccount,
    TrialBalanceRow,
    trial_balance,
    trial_balance_accounts,
)

COLUMNS = "currency owner code name type debits credits debit_balance credit_balance".split()


class Command(ServiceCommand):
    help = "Print debits and credits per currency, now or as of a day, and those of each account."

    def arguments(self, parser: ArgumentParser) -> None:
        when = "a day (its end, UTC) or a moment in ISO 8601"
        parser.add_argument("--as-of", type=end, help=f"Leave out what took effect after {when}.")
        parser.add_argument("--known-at", type=end, help=f"Leave out what was posted after {when}.")
        parser.add_argument("--accounts", action="store_true", help="Also print each account.")
        parser.add_argument("--csv", action="store_true", help="Print the accounts as CSV.")

    def run(self, **options: Any) -> None:
        moments = {"as_of": options["as_of"], "known_at": options["known_at"]}
        is_per_account = options["accounts"] or options["csv"]
        accounts = trial_balance_accounts(**moments) if is_per_account else []
        if options["csv"]:
            self.stdout.write(as_csv(COLUMNS, map(_cells, accounts)), ending="")
            return
        totals = trial_balance(**moments)
        data: dict[str, Any] = {**moments, "currencies": [_total(row) for row in totals]}
        if is_per_account:
            data["accounts"] = [_account(row) for row in accounts]
        self.report(data, _printed(totals, accounts))


def _cells(row: TrialBalanceAccount) -> list[object]:
    return [getattr(row, column) for column in COLUMNS]


def _total(row: TrialBalanceRow) -> dict[str, Any]:
    return {
        "currency": row.currency,
        "accounts": row.accounts,
        "debits": row.debits.text,
        "credits": row.credits.text,
        "balanced": row.is_balanced,
    }


def _account(row: TrialBalanceAccount) -> dict[str, Any]:
    return {
        "currency": row.currency,
        "owner": row.owner,
        "code": row.code,
        "name": row.name,
        "type": row.type,
        "debits": row.debits.text,
        "credits": row.credits.text,
        "balance": row.balance.text,
    }


def _printed(totals: list[TrialBalanceRow], accounts: list[TrialBalanceAccount]) -> Iterator[str]:
    for total in totals:
        for row in accounts:
            if row.currency == total.currency:
                debit = row.debit_balance.text if row.debit_balance else ""
                credit = row.credit_balance.text if row.credit_balance else ""
                yield f"{row.type:<9} {row.owner:<20} {row.code:<40} {debit:>18} {credit:>18}"
        verdict = "balanced" if total.is_balanced else "NOT BALANCED"
        yield (
            f"{total.currency} debits {total.debits.text} credits {total.credits.text}"
            f" {total.accounts} accounts {verdict}"
        )
    if not totals:
        yield "Nothing was posted."
