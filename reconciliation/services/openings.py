"""What was in a bank account before its first statement."""

from collections.abc import Iterable

from ledger.money import Money
from ledger.services.posting import post_entry
from reconciliation.bookkeeping import entry_for_bank_opening
from reconciliation.days import start_of
from reconciliation.models import Source, SourceAccount, Statement


def book_openings(statements: Iterable[Statement]) -> None:
    """The first statement of a bank account says what was there before: book it, once.

    Statements may come in any order: an earlier one replaces the opening of a later one.
    """
    earliest: dict[int, Statement] = {}
    for statement in statements:
        known = earliest.setdefault(statement.source_account_id, statement)
        if statement.first_day < known.first_day:
            earliest[statement.source_account_id] = statement
    for _, statement in sorted(earliest.items()):
        _book(statement)


def _book(statement: Statement) -> None:
    account = SourceAccount.objects.select_for_update().get(pk=statement.source_account_id)
    if account.source.kind != Source.Kind.BANK_STATEMENT or statement.opening_balance is None:
        return
    if account.opening_on is not None:
        if statement.first_day >= account.opening_on:
            return
        _post(account, is_reversal=True)
    account.opening_balance = statement.opening_balance
    account.opening_on = statement.first_day
    account.save(update_fields=["opening_balance", "opening_on"])
    _post(account)


def _post(account: SourceAccount, *, is_reversal: bool = False) -> None:
    """Post what was in the account when its first day began, or take that back."""
    assert account.opening_on is not None
    money = Money(account.opening_balance or 0, account.currency)
    if not money:
        return
    action = "reversal" if is_reversal else "opening"
    post_entry(
        entry_for_bank_opening(
            account.ledger_account.ref,
            -money if is_reversal else money,
            key=f"{account.ledger_account.public_id}:{account.opening_on}:{action}",
            effective_at=start_of(account.opening_on, account.source.time_zone),
        )
    )
