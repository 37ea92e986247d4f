"""How the database found what was asked of it."""

import json
from collections.abc import Callable, Iterator

from django.db import connection


def looked_at(read: Callable[[], object]) -> list[tuple[str, str, int]]:
    """Each scan a read executed: the table, how, and at how many rows it looked.

    What it changes is changed twice.
    """
    connection.force_debug_cursor = True
    connection.queries_log.clear()
    read()
    statements = [query["sql"] for query in connection.queries_log]
    connection.force_debug_cursor = False
    has_no_plan = ("SAVEPOINT", "RELEASE")
    return [
        scan
        for statement in statements
        if not statement.startswith(has_no_plan)
        for scan in _scans(statement)
    ]


def _scans(statement: str) -> Iterator[tuple[str, str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.replace('%', '%%')}")
        (plan,) = cursor.fetchone()
    waiting = [(json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        if "Relation Name" in node and node["Actual Loops"]:
            rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            yield node["Relation Name"], node["Node Type"], round(rows * node["Actual Loops"])
