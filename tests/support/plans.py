"""How the database found what was asked of it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection

Node = dict[str, Any]


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
        (node["Relation Name"], node["Node Type"], rows_looked_at(node))
        for statement in statements
        if not statement.startswith(has_no_plan)
        for node in executed(statement)
        if "Relation Name" in node
    ]


def executed(statement: str, params: dict[str, Any] | None = None) -> Iterator[Node]:
    """Executes a statement; the nodes of its plan that were used, with what came of them."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", params)
        (plan,) = cursor.fetchone()
    waiting = [(json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        if node["Actual Loops"]:
            yield node


def rows_looked_at(node: Node) -> int:
    """By a node, each time it was used: those it gave, and those it left out."""
    left_out = ("Rows Removed by Filter", "Rows Removed by Join Filter")
    rows = node["Actual Rows"] + sum(node.get(each, 0) for each in left_out)
    return round(rows * node["Actual Loops"])
