"""LED-03: what the role that web, worker and beat run as cannot do, and that it can do its work.

Plain SQL as tieout_app with the rights docker-compose.yml gives it; SQLSTATE by name.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from psycopg import errors

from ledger.actors import Actor
from ledger.entries import Entry, moves
from ledger.models import Account, Hold, JournalEntry, Seal
from ledger.money import Money
from ledger.services import audit
from ledger.services.accounts import set_floor
from ledger.services.holds import capture_hold, expire_holds, place_hold, void_hold
from ledger.services.periods import (
    approve_reopening,
    close_period,
    lock_period,
    open_period,
    request_reopening,
)
from ledger.services.posting import post_entries, post_entry
from ledger.services.proofs import prove_entry
from ledger.services.reversals import reverse_entry
from ledger.services.sealing import seal_entries
from ledger.services.verification import verify_ledger
from tests.support.books import query
from tests.support.compose import APPLICATION
from tests.support.entries import CASH, SALES, balance, deposit, funded, transfer, wallet
from tests.support.refusals import refusal_of

ACTOR, CHECKER = Actor.system("test"), Actor.system("checker")
JANUARY, FEBRUARY = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)
SOURCE, TARGET = wallet("a"), wallet("b")

APPEND_ONLY = (
    "ledger_auditevent",
    "ledger_holdcapture",
    "ledger_journalentry",
    "ledger_posting",
    "ledger_seal",
)
KEPT = ("ledger_account", "ledger_accountbalance", "ledger_accountingperiod", "ledger_hold")

NO_RIGHT = errors.InsufficientPrivilege.sqlstate
CHECK = errors.CheckViolation.sqlstate
UNIQUE = errors.UniqueViolation.sqlstate
FIXED = errors.RestrictViolation.sqlstate
FOREIGN_KEY = errors.ForeignKeyViolation.sqlstate

ENTRY = """
INSERT INTO ledger_journalentry (public_id, idempotency_key, fingerprint, kind, reference,
    posting_count, effective_at, reverses_id)
SELECT {name}, {name}, '\\x00', 'raw', 'raw', {count}, {at}, {reverses}
"""
POSTINGS = """
INSERT INTO ledger_posting (entry_id, position, account_id, direction, amount) {rows}
"""


@pytest.fixture
def past(granted: None, db: None) -> dict[str, Any]:
    """Something of everything that may not change, written by the owner of the tables."""
    funded(SOURCE, 100)
    original = post_entry(deposit("d1", TARGET, 10))
    reverse_entry(original.public_id, reason="wrong", actor=ACTOR)
    hold = place_hold(SOURCE, Money(60, "EUR"), idempotency_key="h1", reference="order")
    capture_hold(hold.public_id, transfer("c1", SOURCE, TARGET, 20))
    post_entry(Entry("s1", "sale", "ref", FEBRUARY, moves(CASH, SALES, Money(5, "EUR"))))
    open_period("2025-01", starts_at=JANUARY, ends_at=FEBRUARY, actor=ACTOR)
    close_period("2025-01", actor=ACTOR)
    seal_entries()
    ids = dict(Account.objects.values_list("code", "pk"))
    return {
        "entry": original.entry_id,
        "a": ids["a"],
        "b": ids["b"],
        "cash": ids["cash"],
        "sales": ids["sales"],
    }


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM {table}",
        "TRUNCATE {table} CASCADE",
        "ALTER TABLE {table} DISABLE TRIGGER ALL",
        "ALTER TABLE {table} DISABLE TRIGGER ledger_append_only",
        "DROP TRIGGER ledger_append_only ON {table}",
        "CREATE RULE quiet AS ON INSERT TO {table} DO INSTEAD NOTHING",
        "DROP TABLE {table} CASCADE",
        "LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE",
        "SELECT * FROM {table} FOR UPDATE",
    ],
)
def test_history_is_closed(
    past: dict[str, Any], as_application: None, table: str, statement: str
) -> None:
    assert refusal_of(statement.format(table=table)) == (NO_RIGHT, None)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_journalentry SET reference = 'other'",
        "UPDATE ledger_posting SET amount = amount + 1",
        "UPDATE ledger_auditevent SET reason = 'other'",
        "UPDATE ledger_seal SET hash = merkle_root",
        "UPDATE ledger_holdcapture SET amount = 1",
        "INSERT INTO ledger_posting SELECT * FROM ledger_posting"
        " ON CONFLICT (entry_id, position) DO UPDATE SET amount = 1",
        "MERGE INTO ledger_posting USING ledger_journalentry ON entry_id = id"
        " WHEN MATCHED THEN UPDATE SET amount = 1",
        "MERGE INTO ledger_posting USING ledger_journalentry ON entry_id = id"
        " WHEN MATCHED THEN DELETE",
        "WITH gone AS (DELETE FROM ledger_posting RETURNING *) SELECT * FROM gone",
        "UPDATE django_migrations SET name = 'other'",
        "SET session_replication_role = replica",
        "SET LOCAL session_replication_role = replica",
        "SELECT setval('ledger_journalentry_id_seq', 1)",
        "CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger"
        " LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "ALTER FUNCTION ledger_check_postings() OWNER TO tieout_app",
        "ALTER TABLE ledger_posting DROP CONSTRAINT ledger_posting_amount_positive",
        "ALTER TABLE ledger_accountbalance DROP CONSTRAINT ledger_balance_pending_positive",
        "CREATE TABLE elsewhere ()",
        "DROP TRIGGER ledger_balance_floor ON ledger_accountbalance",
        "DROP TRIGGER ledger_entry_balances ON ledger_posting",
        "DROP TRIGGER ledger_entry_complete ON ledger_journalentry",
        "ALTER ROLE tieout_app SUPERUSER",
    ],
)
def test_way_around_the_rules_is_closed(
    past: dict[str, Any], as_application: None, statement: str
) -> None:
    assert refusal_of(statement) == (NO_RIGHT, None)


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("statement", ["DELETE FROM {table}", "TRUNCATE {table} CASCADE"])
def test_what_history_is_about_is_never_deleted(
    past: dict[str, Any], as_application: None, table: str, statement: str
) -> None:
    assert refusal_of(statement.format(table=table)) == (NO_RIGHT, None)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_account SET currency = 'USD'",
        "UPDATE ledger_account SET type = 'asset'",
        "UPDATE ledger_account SET code = code || '!'",
        "UPDATE ledger_account SET owner = 'mer_2'",
        "UPDATE ledger_hold SET amount = amount + 1",
        "UPDATE ledger_hold SET account_id = account_id",
        "UPDATE ledger_accountingperiod SET ends_at = starts_at",
    ],
)
def test_what_things_are_never_changes(
    past: dict[str, Any], as_application: None, change: str
) -> None:
    assert refusal_of(change) == (FIXED, "ledger_append_only")


def raw_entry(
    *lines: tuple[int, str, str, int], count: int = 2, at: str = "now()", reverses: str = "NULL"
) -> str:
    """One statement that writes an entry with these postings: position, account, side, amount."""
    entry = ENTRY.format(name="'raw'", count=count, at=at, reverses=reverses)
    values = ", ".join(f"({p}, %({account})s, '{side}', {n})" for p, account, side, n in lines)
    rows = f"""
    SELECT id, line.* FROM entry,
        (VALUES {values}) AS line (position, account_id, direction, amount)
    """
    return f"WITH entry AS ({entry} RETURNING id) {POSTINGS.format(rows=rows)}"


def sale(debited: int = 5, credited: int = 5, **how: Any) -> str:
    return raw_entry((0, "cash", "debit", debited), (1, "sales", "credit", credited), **how)


def postings(*rows: str) -> str:
    return POSTINGS.format(rows="VALUES " + ", ".join(f"({row})" for row in rows))


def test_statement_all_refusals_differ_from_is_accepted(
    past: dict[str, Any], as_application: None
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sale(), past)

    assert JournalEntry.objects.filter(kind="raw").count() == 1


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        (sale(5, 4), (CHECK, "ledger_entry_balances")),
        (sale(0, 0), (CHECK, "ledger_posting_amount_positive")),
        (sale(-5, -5), (CHECK, "ledger_posting_amount_positive")),
        (raw_entry((0, "cash", "debit", 5)), (CHECK, "ledger_entry_balances")),
        (raw_entry((0, "cash", "debit", 5), count=1), (CHECK, "ledger_entry_two_postings")),
        (sale(count=3), (CHECK, "ledger_entry_complete")),
        (sale(count=0), (CHECK, "ledger_entry_two_postings")),
        (
            ENTRY.format(name="'raw'", count=2, at="now()", reverses="NULL"),
            (CHECK, "ledger_entry_complete"),
        ),
        (sale(at="'2025-01-31T23:59:59.999999Z'"), (CHECK, "ledger_period_open")),
        (sale(at="'-infinity'"), (CHECK, "ledger_period_open")),
        (sale(reverses="%(entry)s"), (UNIQUE, "ledger_entry_reversed_once")),
        (sale(reverses="9999999"), (FOREIGN_KEY, "ledger_entry_reverses_another")),
        (
            postings("%(entry)s, 2, %(cash)s, 'debit', 5"),
            (CHECK, "ledger_entry_balances"),
        ),
        (
            postings("%(entry)s, 2, %(cash)s, 'debit', 5", "%(entry)s, 3, %(sales)s, 'credit', 5"),
            (CHECK, "ledger_entry_complete"),
        ),
        (
            postings("%(entry)s, 0, %(cash)s, 'debit', 5", "%(entry)s, 1, %(sales)s, 'credit', 5"),
            (UNIQUE, "ledger_posting_pkey"),
        ),
        (
            postings("0, 0, %(cash)s, 'debit', 5", "0, 1, %(sales)s, 'credit', 5"),
            (CHECK, "ledger_entry_complete"),
        ),
        (
            raw_entry((0, "nobody", "debit", 5), (1, "sales", "credit", 5)),
            (CHECK, "ledger_entry_balances"),
        ),
    ],
    ids=[
        "unbalanced",
        "zero",
        "negative",
        "one posting that says two",
        "one posting",
        "fewer than it says",
        "says none",
        "no posting",
        "closed period",
        "before all time",
        "second reversal",
        "reversal of nothing",
        "one more posting later",
        "a balanced pair later",
        "a balanced pair in place of the first",
        "postings of no entry",
        "unknown account",
    ],
)
def test_entry_against_the_rules(
    past: dict[str, Any],
    as_application: None,
    statement: str,
    refusal: tuple[str, str],
) -> None:
    assert refusal_of(statement, past | {"nobody": -1}) == refusal  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("debits = debits + 81", "ledger_balance_floor"),
        ("debits = debits + 41", "ledger_balance_floor"),
        ("pending_debits = pending_debits + 41", "ledger_balance_floor"),
        ("pending_debits = -1", "ledger_balance_pending_positive"),
        ("credits = -1", "ledger_balance_totals_positive"),
    ],
)
def test_floor_is_kept_with_what_is_held(
    past: dict[str, Any], as_application: None, change: str, constraint: str
) -> None:
    """80 are on the account and 40 of them held: 40 may go, or be held."""
    statement = f"UPDATE ledger_accountbalance SET {change} WHERE account_id = %(a)s"

    assert refusal_of(statement, past) == (CHECK, constraint)  # type: ignore[arg-type]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_accountbalance SET debits = debits + 40 WHERE account_id = %(a)s", past
        )


def test_hold_of_more_than_it_says_or_after_its_end(
    past: dict[str, Any], as_application: None
) -> None:
    more = "UPDATE ledger_hold SET captured = amount + 1"
    ended = "UPDATE ledger_hold SET status = 'CAPTURED'"

    assert refusal_of(more) == (CHECK, "ledger_hold_within_amount")
    assert refusal_of(ended) == (CHECK, "ledger_hold_ended_once")


def test_locked_period_stays_locked(past: dict[str, Any], as_application: None) -> None:
    lock_period("2025-01", actor=ACTOR)

    unlock = "UPDATE ledger_accountingperiod SET status = 'CLOSED'"
    assert refusal_of(unlock) == (CHECK, "ledger_period_stays_locked")


def test_application_does_a_whole_day(as_application: None) -> None:
    assert query("SELECT session_user, current_user") == [(APPLICATION, APPLICATION)]
    tomorrow = datetime.now(UTC) + timedelta(days=1)

    funded(SOURCE, 1_000)
    set_floor(Account.objects.get(code="a"), -50, actor=ACTOR, reason="a credit line")
    batch = [transfer(f"t{n}", SOURCE, TARGET, 10) for n in range(60)]
    statuses = [result.status for result in post_entries([*batch, batch[0]])]
    assert statuses == ["posted"] * 60 + ["replayed"]

    taken = place_hold(SOURCE, Money(100, "EUR"), idempotency_key="h1", reference="order")
    voided = place_hold(SOURCE, Money(20, "EUR"), idempotency_key="h2", reference="order")
    expiring = place_hold(
        SOURCE, Money(30, "EUR"), idempotency_key="h3", reference="order", expires_at=tomorrow
    )
    capture_hold(taken.public_id, transfer("c1", SOURCE, TARGET, 70), is_final=True)
    void_hold(voided.public_id, actor=ACTOR)
    assert expire_holds(now=tomorrow) == 1
    expiring.refresh_from_db()
    assert expiring.status == Hold.Status.EXPIRED

    original = JournalEntry.objects.get(idempotency_key="t0")
    reversal = reverse_entry(original.public_id, reason="wrong", actor=ACTOR)
    assert (balance(SOURCE), balance(TARGET)) == (340, 660)

    open_period("2025-01", starts_at=JANUARY, ends_at=FEBRUARY, actor=ACTOR)
    close_period("2025-01", actor=ACTOR)
    request_reopening("2025-01", actor=ACTOR, reason="an invoice came late")
    approve_reopening("2025-01", actor=CHECKER)
    close_period("2025-01", actor=ACTOR)
    lock_period("2025-01", actor=ACTOR)

    assert [seal.entry_count for seal in seal_entries()] == [63]
    assert prove_entry(reversal.public_id)
    assert verify_ledger() == []
    assert verify_ledger(is_full=True) == []
    audit.record("books.looked_at", "ledger", actor=ACTOR)
    assert Seal.objects.count() == 1
