"""Plans kept from when the tables were empty are good when they have grown."""

import pytest
from django.db import connection

from ledger.services.posting import post_entries, post_entry
from tests.support.books import query
from tests.support.entries import deposit, transfer, wallet

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books")]

TABLES = ["ledger_account", "ledger_accountbalance", "ledger_journalentry", "ledger_posting"]
READ = """
SELECT relname, seq_tup_read FROM pg_stat_user_tables WHERE relname = ANY (%s) ORDER BY relname
"""


def rows_read_in_walks() -> dict[str, int]:
    """How many rows of each table were read by walking through it, by anybody so far."""
    query("SELECT pg_stat_force_next_flush()")
    return dict(query(READ, [TABLES]))


@pytest.mark.parametrize("is_analyzed", [False, True], ids=["never analyzed", "analyzed empty"])
def test_posting_never_walks_through_a_table_though_it_was_empty_when_plans_were_made(
    is_analyzed: bool,
) -> None:
    connection.close()  # and with it whatever plans it has
    if is_analyzed:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE " + ", ".join(TABLES))
    wallets = [wallet(f"w{n}") for n in range(40)]
    for n in range(12):  # by now every plan that is kept is made
        post_entry(deposit(f"d{n}", wallets[n], 1_000))
    post_entries([deposit(f"more {n}", wallets[n % 40], 1_000) for n in range(500)])
    before = rows_read_in_walks()

    for n in range(40):
        post_entry(transfer(f"t{n}", wallets[n], wallets[n - 1], 1))
    post_entries([transfer(f"u{n}", wallets[n], wallets[n - 1], 1) for n in range(40)])

    assert rows_read_in_walks() == before
