"""manage.py account_statement CODE [--owner ID] [--since WHEN] [--until WHEN] [--csv | --json]"""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError

from ledger.commands import ServiceCommand
from ledger.management.listings import after, as_csv, beginning
from ledger.models import Account
from ledger.money import Money
from ledger.selectors import AccountStatementLine, StatementPage, account_statement
from ledger.selectors.statements import LINES_MAX

COLUMNS = (
    "effective_at posted_at journal_entry kind reference direction amount balance_after".split()
)


class Command(ServiceCommand):
    help = "Print what went through an account, oldest first, with the balance after each line."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="of the account, e.g. bank:main:EUR, or its id, acct_…")
        parser.add_argument("--owner", default="", help="Whose account it is; default: ours.")
        parser.add_argument("--since", type=beginning, help="First day, or moment, of effect.")
        parser.add_argument("--until", type=after, help="Last day; or a moment, it excluded.")
        parser.add_argument("--csv", action="store_true", help="Print the lines as CSV.")

    def run(self, **options: Any) -> None:
        account = _account(options["code"], options["owner"])
        page, lines = _all_lines(account, since=options["since"], until=options["until"])
        if options["csv"]:
            self.stdout.write(as_csv(COLUMNS, map(_cells, lines)), ending="")
            return
        self.report(
            {
                "account": account.public_id,
                "code": account.code,
                "owner": account.owner,
                "currency": account.currency,
                "since": options["since"],
                "until": options["until"],
                "opening_balance": page.opening_balance.text,
                "lines": [_line(line) for line in lines],
                "closing_balance": page.closing_balance.text,
            },
            _printed(account, page, lines),
        )


def _account(name: str, owner: str) -> Account:
    named = Account.objects.filter(public_id=name) | Account.objects.filter(code=name, owner=owner)
    account = named.first()
    if account is None:
        raise CommandError(f"There is no account {name} of {owner or 'ours'}.")
    return account


def _all_lines(account: Account, **period: Any) -> tuple[StatementPage, list[AccountStatementLine]]:
    asked = {**period, "limit": LINES_MAX, "newest_first": False}
    page = account_statement(account, **asked)
    lines = page.lines
    while page.next_cursor:
        page = account_statement(account, **asked, cursor=page.next_cursor)
        lines += page.lines
    return page, lines


def _cells(line: AccountStatementLine) -> list[object]:
    return [getattr(line, column) for column in COLUMNS]


def _line(line: AccountStatementLine) -> dict[str, Any]:
    return {
        column: value.text if isinstance(value, Money) else value
        for column, value in zip(COLUMNS, _cells(line), strict=True)
    }


def _printed(
    account: Account, page: StatementPage, lines: list[AccountStatementLine]
) -> Iterator[str]:
    yield f"{account.code} {account.currency} opening balance {page.opening_balance.text}"
    for line in lines:
        yield (
            f"{line.effective_at:%Y-%m-%d %H:%M:%S} {line.kind:<20} {line.reference:<40}"
            f" {line.direction:<6} {line.amount.text:>18} {line.balance_after.text:>18}"
        )
    yield f"{account.code} {account.currency} closing balance {page.closing_balance.text}"
