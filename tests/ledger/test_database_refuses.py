"""What PostgreSQL refuses although nobody's Python is in between: plain SQL, constraint by name."""

import hashlib

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from ledger.models import Account, AccountBalance, JournalEntry, Posting
from ledger.services.accounts import open_account
from ledger.services.posting import post_entry
from tests.support.entries import CASH, SALES, deposit, funded, wallet
from tests.support.refusals import constraint_of, journal, refused_by

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

INSERT = """
WITH entry AS (
    INSERT INTO ledger_journalentry
        (public_id, idempotency_key, fingerprint, kind, reference, posting_count, effective_at)
    VALUES ('je_raw', 'raw', '\\x00', 'raw', 'raw', {count}, now())
    RETURNING id
)
INSERT INTO ledger_posting (entry_id, position, account_id, direction, amount)
SELECT entry.id, line.position, line.account_id, line.direction, line.amount
FROM entry, (VALUES {lines}) AS line (position, account_id, direction, amount)
"""


@pytest.fixture
def accounts() -> dict[str, int]:
    return {ref.code: open_account(ref).pk for ref in (CASH, SALES)}


def entry_sql(*lines: tuple[int, int, str, int], count: int | None = None) -> str:
    """An INSERT of an entry and its postings: (position, account, direction, amount) each."""
    values = ", ".join(f"({p}, {account}, '{side}', {n})" for p, account, side, n in lines)
    return INSERT.format(count=len(lines) if count is None else count, lines=values)


def test_balanced_entry_in_one_statement_is_accepted(accounts: dict[str, int]) -> None:
    """The statement all the refusals below differ from."""
    lines = (0, accounts["cash"], "debit", 5), (1, accounts["sales"], "credit", 5)

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(entry_sql(*lines))

        assert Posting.objects.count() == 2
        transaction.set_rollback(True)


def test_unbalanced_entry(accounts: dict[str, int]) -> None:
    lines = (0, accounts["cash"], "debit", 5), (1, accounts["sales"], "credit", 4)

    assert refused_by(entry_sql(*lines)) == "ledger_entry_balances"


def test_entry_that_only_balances_across_currencies(accounts: dict[str, int]) -> None:
    dollars = open_account(wallet("usd", currency="USD")).pk

    lines = (0, accounts["cash"], "debit", 5), (1, dollars, "credit", 5)

    assert refused_by(entry_sql(*lines)) == "ledger_entry_balances"


def test_two_entries_that_only_balance_together(accounts: dict[str, int]) -> None:
    statement = """
    WITH entry AS (
        INSERT INTO ledger_journalentry
            (public_id, idempotency_key, fingerprint, kind, reference, posting_count, effective_at)
        SELECT 'je_' || n, 'raw ' || n, '\\x00', 'raw', 'raw', 2, now() FROM generate_series(1, 2) n
        RETURNING id, public_id
    )
    INSERT INTO ledger_posting (entry_id, position, account_id, direction, amount)
    SELECT id, position, %s, CASE public_id WHEN 'je_1' THEN 'debit' ELSE 'credit' END, 5
    FROM entry, generate_series(0, 1) AS position
    """

    assert refused_by(statement, [accounts["cash"]]) == "ledger_entry_balances"


def test_entry_without_postings() -> None:
    statement = """
    INSERT INTO ledger_journalentry
        (public_id, idempotency_key, fingerprint, kind, reference, posting_count, effective_at)
    VALUES ('je_raw', 'raw', '\\x00', 'raw', 'raw', 2, now())
    """

    assert refused_by(statement) == "ledger_entry_complete"


def test_entry_without_postings_by_the_orm() -> None:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        JournalEntry.objects.create(
            idempotency_key="raw",
            fingerprint=hashlib.sha256().digest(),
            kind="raw",
            reference="raw",
            posting_count=2,
            effective_at="2026-03-02T12:00:00Z",
        )

    assert constraint_of(refusal.value) == "ledger_entry_complete"
    assert not JournalEntry.objects.exists()


def test_one_posting_only(accounts: dict[str, int]) -> None:
    line = (0, accounts["cash"], "debit", 5)

    assert refused_by(entry_sql(line)) == "ledger_entry_two_postings"
    assert refused_by(entry_sql(line, count=2)) == "ledger_entry_balances"


@pytest.mark.parametrize("count", [3, 4])
def test_fewer_postings_than_the_entry_says(accounts: dict[str, int], count: int) -> None:
    """Else the missing positions could be filled later."""
    lines = (0, accounts["cash"], "debit", 5), (1, accounts["sales"], "credit", 5)

    assert refused_by(entry_sql(*lines, count=count)) == "ledger_entry_complete"


def test_more_postings_than_the_entry_says(accounts: dict[str, int]) -> None:
    cash, sales = accounts["cash"], accounts["sales"]
    lines = (
        (0, cash, "debit", 5),
        (1, sales, "credit", 5),
        (2, cash, "debit", 1),
        (3, sales, "credit", 1),
    )

    assert refused_by(entry_sql(*lines, count=2)) == "ledger_entry_complete"


def test_positions_with_a_gap(accounts: dict[str, int]) -> None:
    lines = (0, accounts["cash"], "debit", 5), (2, accounts["sales"], "credit", 5)

    assert refused_by(entry_sql(*lines)) == "ledger_entry_complete"


@pytest.mark.parametrize(
    ("first_position", "constraint"),
    [(2, "ledger_entry_complete"), (0, "ledger_posting_pkey")],
    ids=["behind the others", "in their place"],
)
def test_balanced_postings_added_later(
    accounts: dict[str, int], first_position: int, constraint: str
) -> None:
    result = post_entry(deposit("d1", wallet("a"), 10))
    statement = """
    INSERT INTO ledger_posting (entry_id, position, account_id, direction, amount)
    VALUES (%(entry)s, %(first)s, %(cash)s, 'debit', 5),
        (%(entry)s, %(first)s + 1, %(sales)s, 'credit', 5)
    """
    params = {"entry": result.entry_id, "first": first_position, **accounts}

    assert refused_by(statement, params) == constraint  # type: ignore[arg-type]


def test_postings_of_no_entry(accounts: dict[str, int]) -> None:
    statement = """
    INSERT INTO ledger_posting (entry_id, position, account_id, direction, amount)
    VALUES (0, 0, %(cash)s, 'debit', 5), (0, 1, %(sales)s, 'credit', 5)
    """

    assert refused_by(statement, accounts) == "ledger_entry_complete"  # type: ignore[arg-type]


def test_postings_before_their_entry_in_the_same_transaction(accounts: dict[str, int]) -> None:
    statement = """
    INSERT INTO ledger_posting (entry_id, position, account_id, direction, amount)
    VALUES (99, 0, %(cash)s, 'debit', 5), (99, 1, %(sales)s, 'credit', 5);
    INSERT INTO ledger_journalentry
        (id, public_id, idempotency_key, fingerprint, kind, reference, posting_count, effective_at)
    OVERRIDING SYSTEM VALUE VALUES (99, 'je_raw', 'raw', '\\x00', 'raw', 'raw', 2, now())
    """

    assert refused_by(statement, accounts) == "ledger_entry_complete"  # type: ignore[arg-type]


def test_unknown_account(accounts: dict[str, int]) -> None:
    lines = (0, 0, "debit", 5), (1, -1, "credit", 5)

    assert refused_by(entry_sql(*lines)) == "ledger_entry_balances"


@pytest.mark.parametrize("amount", [0, -5])
def test_amount_that_is_not_positive(accounts: dict[str, int], amount: int) -> None:
    lines = (0, accounts["cash"], "debit", amount), (1, accounts["sales"], "credit", amount)

    assert refused_by(entry_sql(*lines)) == "ledger_posting_amount_positive"


def test_direction_that_is_no_side(accounts: dict[str, int]) -> None:
    lines = (0, accounts["cash"], "debit", 5), (1, accounts["sales"], "side", 5)

    assert refused_by(entry_sql(*lines)) == "ledger_posting_direction_known"


def test_same_idempotency_key_twice(accounts: dict[str, int]) -> None:
    post_entry(deposit("raw", wallet("a"), 10))
    lines = (0, accounts["cash"], "debit", 5), (1, accounts["sales"], "credit", 5)

    assert refused_by(entry_sql(*lines)) == "ledger_entry_once_per_key"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_journalentry SET reference = 'other'",
        "UPDATE ledger_journalentry SET id = id WHERE false",
        "DELETE FROM ledger_journalentry",
        "UPDATE ledger_posting SET amount = amount + 1",
        "UPDATE ledger_posting SET direction = 'debit'",
        "DELETE FROM ledger_posting",
        "DELETE FROM ledger_posting WHERE position > 1",
        """
        INSERT INTO ledger_posting
        SELECT * FROM ledger_posting ON CONFLICT (entry_id, position) DO UPDATE SET amount = 1
        """,
        """
        MERGE INTO ledger_posting USING ledger_journalentry ON entry_id = id
        WHEN MATCHED THEN UPDATE SET amount = 1
        """,
    ],
)
def test_changing_what_was_posted(statement: str) -> None:
    post_entry(deposit("d1", wallet("a"), 10))

    assert refused_by(statement) == "ledger_append_only"


@pytest.mark.parametrize(
    "change",
    [
        lambda: JournalEntry.objects.update(reference="other"),
        lambda: JournalEntry.objects.get().save(update_fields=["reference"]),
        lambda: Posting.objects.update(amount=1),
        lambda: Posting.objects.all()._raw_delete("default"),
        lambda: JournalEntry.objects.all()._raw_delete("default"),
    ],
    ids=["update entry", "save entry", "update posting", "delete posting", "delete entry"],
)
def test_changing_what_was_posted_by_the_orm(change: object) -> None:
    post_entry(deposit("d1", wallet("a"), 10))
    before = journal()

    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        change()  # type: ignore[operator]

    assert constraint_of(refusal.value) == "ledger_append_only"
    assert journal() == before


@pytest.mark.parametrize("change", ["debits = debits + 11", "debits = 1, credits = 0"])
def test_balance_under_the_floor(change: str) -> None:
    funded(wallet("a"), 10)
    statement = f"UPDATE ledger_accountbalance SET {change} WHERE account_id = %s"

    assert refused_by(statement, [Account.objects.get(code="a").pk]) == "ledger_balance_floor"


def test_balance_totals_under_zero() -> None:
    funded(wallet("a", floor=None), 10)

    statement = "UPDATE ledger_accountbalance SET credits = -1 WHERE credits > 0"

    assert refused_by(statement) == "ledger_balance_totals_positive"


def test_second_account_with_the_code_of_an_owner() -> None:
    open_account(wallet("a"))
    statement = """
    INSERT INTO ledger_account (public_id, owner, code, name, type, currency)
    SELECT 'acct_raw', owner, code, name, type, currency FROM ledger_account
    """

    assert refused_by(statement) == "ledger_account_code_unique"


def test_account_of_no_known_type() -> None:
    open_account(wallet("a"))
    statement = """
    INSERT INTO ledger_account (public_id, owner, code, name, type, currency)
    SELECT 'acct_raw', owner, 'b', name, 'other', currency FROM ledger_account
    """

    assert refused_by(statement) == "ledger_account_type_known"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_account SET currency = 'USD'",
        "UPDATE ledger_account SET type = 'asset'",
        "UPDATE ledger_account SET code = 'b'",
        "DELETE FROM ledger_account",
        "DELETE FROM ledger_accountbalance",
    ],
)
def test_what_an_account_is_never_changes(change: str) -> None:
    open_account(wallet("a"))

    assert refused_by(change) == "ledger_append_only"


def test_account_that_was_posted_to_cannot_be_deleted() -> None:
    funded(wallet("a"), 10)

    with pytest.raises(ProtectedError):
        Account.objects.get(code="a").delete()

    assert AccountBalance.objects.filter(account__code="a").exists()


def test_temporary_table_does_not_stand_in_for_the_one_a_check_looks_into() -> None:
    """Whoever may create one could show the check an account without a floor."""
    account = open_account(funded(wallet("a"), 100)).pk

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE ledger_account (id bigint, code text, type text, floor bigint)"
        )
        with pytest.raises(IntegrityError) as refusal, transaction.atomic():
            cursor.execute(
                "UPDATE ledger_accountbalance SET debits = 101 WHERE account_id = %s", [account]
            )
        cursor.execute("DROP TABLE pg_temp.ledger_account")

    assert constraint_of(refusal.value) == "ledger_balance_floor"
