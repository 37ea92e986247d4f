"""Reading: balances, statements and trial balances, as the journal grows to five times its size."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median

from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.database import run as run_sql
from benchmarks.table import Table
from ledger.entries import AccountRef, AccountType
from ledger.models import Account, Posting
from ledger.selectors import account_statement, balance_of, trial_balance
from ledger.services.accounts import open_account
from ledger.services.day_totals import add_day_totals

FIFTHS = 5
DAYS_PER_FIFTH = 73
ENTRIES_PER_DAY = 4_500
UNSEALED = 2_000
COLD_ACCOUNTS = 2_000
ROUNDS = 20
START = datetime(2025, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)

# Each entry is between the hot account and one of the cold ones; every fiftieth is three days late.
FILL = """
WITH number AS (
    SELECT generate_series({first}, {last}) AS id
),
clock AS (
    SELECT id, timestamptz '{start}' + id * interval '1 day' / {per_day} AS posted_at FROM number
),
new_entry AS (
    INSERT INTO ledger_journalentry (
        id, public_id, idempotency_key, fingerprint, kind, reference, posting_count, effective_at,
        posted_at
    )
    OVERRIDING SYSTEM VALUE
    SELECT id, 'je_' || lpad(id::text, 26, '0'), 'bench-' || id, sha256(id::text::bytea), 'bench',
           'pay_' || lpad(id::text, 26, '0'), 2,
           posted_at - CASE WHEN id % 50 = 0 THEN interval '3 days' ELSE interval '0' END, posted_at
    FROM clock
)
INSERT INTO ledger_posting (entry_id, position, account_id, direction, amount)
SELECT id, side.position,
       CASE side.position WHEN 0 THEN {hot} ELSE {cold} + id % {cold_count} END,
       side.direction, 1 + id % 9999
FROM number CROSS JOIN (VALUES (0, 'debit'), (1, 'credit')) AS side (position, direction)
"""
BALANCES = """
UPDATE ledger_accountbalance AS kept SET debits = posted.debits, credits = posted.credits
FROM (
    SELECT account_id, coalesce(sum(amount) FILTER (WHERE direction = 'debit'), 0) AS debits,
           coalesce(sum(amount) FILTER (WHERE direction = 'credit'), 0) AS credits
    FROM ledger_posting GROUP BY account_id
) AS posted WHERE posted.account_id = kept.account_id
"""
SEAL = """
INSERT INTO ledger_seal (
    number, first_entry_id, last_entry_id, entry_count, merkle_root, leaf_marks, previous_hash,
    hash, horizon
)
SELECT coalesce(max(number), 0) + 1, {first}, {last}, 0, '', '', '', '', now() FROM ledger_seal
"""

Read = Callable[[], object]


def run(*, has_plans: bool = False) -> list[Table]:
    """Fill an empty database in fifths; milliseconds of each read after the first and the last."""
    hot, cold = _accounts()
    early: dict[str, float] = {}
    early_size = 0
    for fifth in range(1, FIFTHS + 1):
        _fill(fifth, hot, cold)
        if fifth == 1:
            early, early_size = _measured(hot, cold, fifth), Posting.objects.count()
    late, size = _measured(hot, cold, FIFTHS), Posting.objects.count()
    if has_plans:
        print(plans(hot, cold, FIFTHS))
    rows = [
        (name, f"{early[name]:.2f}", f"{late[name]:.2f}", f"{late[name] / early[name]:.2f}")
        for name in late
    ]
    columns = ("read", f"ms on {early_size:,} postings", f"ms on {size:,}", "ratio")
    return [Table("Reading while the journal grows", columns, rows)]


def plans(hot: Account, cold: Account, fifths: int) -> str:
    """How PostgreSQL finds what each read asks for, as executed."""
    parts = []
    for name, read in _reads(hot, cold, fifths).items():
        with CaptureQueriesContext(connection) as captured:
            read()
        for query in list(captured):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF) {query['sql'].replace('%', '%%')}")
                parts += [f"\n== {name}", *(line for (line,) in cursor.fetchall())]
    return "\n".join(parts)


def _accounts() -> tuple[Account, Account]:
    """The hot account, and the first cold one; the ids of the others follow it."""
    hot = open_account(AccountRef("bench:hot", AccountType.ASSET, "EUR"))
    cold = [
        open_account(AccountRef(f"bench:cold:{n}", AccountType.LIABILITY, "EUR"))
        for n in range(COLD_ACCOUNTS)
    ]
    assert cold[-1].pk - cold[0].pk == COLD_ACCOUNTS - 1
    return hot, cold[0]


def _fill(fifth: int, hot: Account, cold: Account) -> None:
    size = DAYS_PER_FIFTH * ENTRIES_PER_DAY
    first, last = (fifth - 1) * size + 1, fifth * size
    run_sql("SET session_replication_role = replica")  # no triggers: the rows are known to be right
    for begin in range(first, last + 1, size // 5):
        statement = FILL.format(
            first=begin,
            last=min(begin + size // 5 - 1, last),
            start=START.isoformat(),
            per_day=ENTRIES_PER_DAY,
            hot=hot.pk,
            cold=cold.pk,
            cold_count=COLD_ACCOUNTS,
        )
        run_sql(statement)
    run_sql(BALANCES)
    sealed = max(0, first - 1 - UNSEALED)
    for begin in range(sealed + 1, last - UNSEALED + 1, ENTRIES_PER_DAY):
        end = min(begin + ENTRIES_PER_DAY - 1, last - UNSEALED)
        add_day_totals(begin, end)
        run_sql(SEAL.format(first=begin, last=end))
    run_sql("SET session_replication_role = origin")
    for table in ("journalentry", "posting", "daytotal", "monthtotal", "account"):
        run_sql(f"VACUUM (ANALYZE) ledger_{table}")


def _reads(hot: Account, cold: Account, fifths: int) -> dict[str, Read]:
    """Everything measured, about the middle of what there is."""
    midnight = START + DAY * (fifths * DAYS_PER_FIFTH // 2)
    end, noon = midnight - timedelta(microseconds=1), midnight + DAY / 2
    reads: dict[str, Read] = {}
    for name, account in (("hot", hot), ("cold", cold)):
        reads |= {
            f"balance now, {name}": lambda it=account: balance_of(it),
            f"balance as of a day, {name}": lambda it=account: balance_of(it, as_of=end),
            f"balance as of noon, {name}": lambda it=account: balance_of(it, as_of=noon),
            f"balance known at noon, {name}": lambda it=account: balance_of(it, known_at=noon),
            f"newest 100 lines, {name}": lambda it=account: account_statement(it),
            f"next 100 lines, {name}": _next_page(account),
            f"30 days, first 100 lines, {name}": lambda it=account: account_statement(
                it, since=midnight - 30 * DAY, until=midnight
            ),
        }
    return reads | {
        "trial balance now": trial_balance,
        "trial balance as of a day": lambda: trial_balance(as_of=end),
        "trial balance known at noon": lambda: trial_balance(known_at=noon),
    }


def _next_page(account: Account) -> Read:
    cursor = account_statement(account, limit=50).next_cursor
    return lambda: account_statement(account, cursor=cursor)


def _measured(hot: Account, cold: Account, fifths: int) -> dict[str, float]:
    return {name: _milliseconds(read) for name, read in _reads(hot, cold, fifths).items()}


def _milliseconds(read: Read) -> float:
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        read()
        times.append((time.perf_counter() - started) * 1_000)
    return median(times)
