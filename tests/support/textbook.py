"""A journal as books on double entry write it: dates, names and amounts in major units."""

from datetime import datetime

from ledger.entries import AccountRef, AccountType, Entry, credit, debit
from ledger.money import Money
from ledger.selectors import trial_balance
from ledger.services.posting import Status, post_all, post_entries
from tests.support.books import query

ACCOUNTS = {
    AccountType.ASSET: """
        cash bank receivables allowance_for_doubtful_debts inventory supplies prepaid_rent equipment
        accumulated_depreciation input_tax petty_cash fx_position
    """,
    AccountType.LIABILITY: "payables wages_payable unearned_revenue output_tax loan",
    AccountType.EQUITY: "capital drawings income_summary capital_ada capital_bo capital_cy",
    AccountType.INCOME: "revenue sales sales_returns exchange_gains",
    AccountType.EXPENSE: """
        wages rent supplies_used depreciation cost_of_sales interest utilities bad_debts postage
        cleaning travel cash_short purchases
    """,
}
TYPES = {name: kind for kind, names in ACCOUNTS.items() for name in names.split()}

Sides = dict[str, str]  # account, with its currency if that is not EUR, and major units


def book(day: str, what: str, debits: Sides, credits: Sides) -> Entry:
    """An entry as a journal shows it; `day` is a date of 2026: "01-31"."""
    at = datetime.fromisoformat(f"2026-{day}T12:00:00+00:00")
    lines = [debit(account(name), money(name, text)) for name, text in debits.items()]
    lines += [credit(account(name), money(name, text)) for name, text in credits.items()]
    return Entry(f"{day} {what}", "journal", what, at, tuple(lines))


def account(name: str) -> AccountRef:
    name, currency = name.split()[0], currency_of(name)
    floor = 0 if name == "petty_cash" else None
    return AccountRef(f"{name}:{currency}", TYPES[name], currency, floor=floor)


def currency_of(name: str) -> str:
    return name.split()[1] if " " in name else "EUR"


def money(name: str, text: str) -> Money:
    return Money.of(text.replace(",", ""), currency_of(name))


def post(*entries: Entry) -> None:
    """Post the journal, twice: a bookkeeper who is not sure may hand it in again."""
    post_all(entries)
    assert {result.status for result in post_entries(entries)} == {Status.REPLAYED}


def columns(currency: str = "EUR") -> tuple[Sides, Sides]:
    """Accounts with a debit balance and accounts with a credit balance, in major units."""
    sides: tuple[Sides, Sides] = ({}, {})
    for code, balance in query(
        """
        SELECT code, debits - credits FROM ledger_account
        JOIN ledger_accountbalance ON account_id = id
        WHERE currency = %s AND debits <> credits ORDER BY code
        """,
        [currency],
    ):
        side = sides[0] if balance > 0 else sides[1]
        side[code.removesuffix(f":{currency}")] = f"{Money(abs(balance), currency).decimal:,}"
    assert all(row.is_balanced for row in trial_balance())
    return sides


def total(side: Sides, currency: str = "EUR") -> str:
    amounts = [Money.of(text.replace(",", ""), currency).amount for text in side.values()]
    return f"{Money(sum(amounts), currency).decimal:,}"
