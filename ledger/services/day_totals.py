"""Totals per day and month, so that no balance of the past needs to add up the whole journal."""

from ledger import sql


def add_day_totals(first_entry_id: int, last_entry_id: int) -> None:
    """The postings of these entries, both ids included, count in their days and months.

    Call it once for every sealed block, in the transaction that seals it: reads take the totals
    for exactly the entries up to the last sealed one, and look at the others themselves.
    """
    sql.execute(
        "ledger",
        "fold_day_totals",
        first_entry_id=first_entry_id,
        last_entry_id=last_entry_id,
    )
