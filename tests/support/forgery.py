"""Books to forge, and the means to do it."""

from collections.abc import Callable

import pytest
from django.db import connection

from ledger.models import JournalEntry, Seal
from ledger.services import sealing
from ledger.services.day_totals import add_day_totals
from ledger.services.posting import post_entries
from ledger.services.sealing import seal_entries
from ledger.services.verification import verify_ledger
from tests.support.entries import deposit, wallet

Forge = Callable[..., None]

# What a careful forger does afterwards, so that totals tell nothing.
MEND_BALANCES = """
UPDATE ledger_accountbalance AS balance
SET debits = coalesce(posted.debits, 0), credits = coalesce(posted.credits, 0)
FROM ledger_account AS account
LEFT JOIN (
    SELECT account_id, sum(amount) FILTER (WHERE direction = 'debit') AS debits,
        sum(amount) FILTER (WHERE direction = 'credit') AS credits
    FROM ledger_posting GROUP BY account_id
) AS posted ON posted.account_id = account.id
WHERE account.id = balance.account_id
"""


@pytest.fixture
def forge() -> Forge:
    """Run SQL as somebody who switched the triggers off."""

    def run(statement: str, *params: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(statement, params)
            cursor.execute("SET LOCAL session_replication_role = origin")

    return run


@pytest.fixture
def unsealed(forge: Forge) -> None:
    post_entries([deposit("d1", wallet("a"), 10), deposit("d2", wallet("b"), 20)])


@pytest.fixture
def sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine entries d1 … d9 under three seals of three, with a gap of ids before each; one more."""
    monkeypatch.setattr(sealing, "ENTRIES_PER_SEAL", 3)
    for first in (1, 4, 7):
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('ledger_journalentry_id_seq')")
        post_entries([deposit(f"d{n}", wallet("a"), 10 * n) for n in range(first, first + 3)])
    seal_entries()
    post_entries([deposit("d10", wallet("a"), 100)])


def entry(key: str) -> JournalEntry:
    return JournalEntry.objects.get(idempotency_key=key)


def mend(forge: Forge) -> None:
    """Make balances and totals agree with whatever postings and seals there are now."""
    forge(MEND_BALANCES)
    forge("DELETE FROM ledger_daytotal")
    forge("DELETE FROM ledger_monthtotal")
    for seal in Seal.objects.order_by("number"):
        add_day_totals(seal.first_entry_id, seal.last_entry_id)


def found() -> list[tuple[str, str]]:
    return [(problem.check, problem.subject) for problem in verify_ledger(is_full=True)]


def alter_reference(forge: Forge) -> tuple[str, str]:
    forge("UPDATE ledger_journalentry SET reference = 'mine' WHERE idempotency_key = 'd5'")
    return entry("d5").public_id, "It is not what was sealed."
