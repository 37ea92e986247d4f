"""The proof of the books, recomputed from the postings alone and not by the code under test."""

from typing import Any

from django.db import connection

from ledger.models import Account

UNEQUAL_CURRENCIES = """
SELECT account.currency, sum(CASE direction WHEN 'debit' THEN amount ELSE -amount END)
FROM ledger_posting JOIN ledger_account AS account ON account.id = account_id
GROUP BY account.currency
HAVING sum(CASE direction WHEN 'debit' THEN amount ELSE -amount END) <> 0
"""
UNBALANCED_ENTRIES = """
SELECT entry.public_id, account.currency
FROM ledger_journalentry AS entry
LEFT JOIN ledger_posting AS posting ON posting.entry_id = entry.id
LEFT JOIN ledger_account AS account ON account.id = posting.account_id
GROUP BY entry.id, account.currency
HAVING account.currency IS NULL
    OR sum(CASE direction WHEN 'debit' THEN amount ELSE -amount END) <> 0
"""
INCOMPLETE_ENTRIES = """
SELECT coalesce(entry.public_id, 'missing'), count(posting.entry_id), max(posting_count)
FROM ledger_journalentry AS entry
FULL JOIN ledger_posting AS posting ON posting.entry_id = entry.id
GROUP BY entry.id
HAVING count(posting.entry_id) IS DISTINCT FROM max(posting_count)
"""
WRONG_BALANCES = """
SELECT account.code, balance.debits, balance.credits, posted.debits, posted.credits
FROM ledger_account AS account
LEFT JOIN ledger_accountbalance AS balance ON balance.account_id = account.id
LEFT JOIN (
    SELECT account_id,
        coalesce(sum(amount) FILTER (WHERE direction = 'debit'), 0) AS debits,
        coalesce(sum(amount) FILTER (WHERE direction = 'credit'), 0) AS credits
    FROM ledger_posting GROUP BY account_id
) AS posted ON posted.account_id = account.id
WHERE balance.debits IS DISTINCT FROM coalesce(posted.debits, 0)
    OR balance.credits IS DISTINCT FROM coalesce(posted.credits, 0)
"""
BROKEN_FLOORS = """
SELECT code, floor, debits, credits
FROM ledger_account AS account JOIN ledger_accountbalance ON account_id = account.id
WHERE CASE WHEN type IN ('asset', 'expense') THEN debits - credits ELSE credits - debits END < floor
"""
PROOFS = {
    "debits equal credits per currency": UNEQUAL_CURRENCIES,
    "every entry balances": UNBALANCED_ENTRIES,
    "every entry has all its postings": INCOMPLETE_ENTRIES,
    "balances are the sums of their postings": WRONG_BALANCES,
    "no balance is under its floor": BROKEN_FLOORS,
}


def assert_books_balance() -> None:
    """Every proof finds nothing wrong, in all there is."""
    broken = {law: found for law, proof in PROOFS.items() if (found := query(proof))}
    assert not broken, broken


def t_accounts(reference: str) -> list[tuple[str, str, int]]:
    """What was posted about a thing, in order: (direction, account code, minor units)."""
    return query(
        """
        SELECT direction, code, amount
        FROM ledger_journalentry AS entry
        JOIN ledger_posting ON entry_id = entry.id
        JOIN ledger_account AS account ON account.id = account_id
        WHERE entry.reference = %s ORDER BY entry.id, position
        """,
        [reference],
    )


def balances() -> dict[str, tuple[int, int]]:
    """Debits and credits of every account that moved, by code: compare before and after."""
    rows = query(
        """
        SELECT owner || code, debits, credits
        FROM ledger_accountbalance JOIN ledger_account ON ledger_account.id = account_id
        WHERE debits > 0 OR credits > 0
        """
    )
    return {code: (debits, credits) for code, debits, credits in rows}


def balance(code: str) -> str:
    """Of the one account of this code, by its normal side, in major units."""
    return Account.objects.get(code=code).balance.money.text


def query(statement: str, params: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()
