"""Statements the server keeps the plan of, sent past the cursors of psycopg.

A cursor looks at every parameter and every column anew. That takes 40 microseconds, which is much
of what a single payment or entry costs.
"""

import re
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import generators, pq
from psycopg.errors import error_from_result

from ledger.sql.arrays import array_literal

_PLACEHOLDER = re.compile(r"%(?:%|\((\w+)\)s)")
# What each connection has prepared: the names by the texts.
_names: WeakKeyDictionary[Any, dict[str, bytes]] = WeakKeyDictionary()


def run_kept(driver: Any, text: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement whose columns are text, outside of any transaction.

    Lists are arrays, `bytes` are sent as they are, all else as text.
    """
    query, order = _compiled(text)
    names = _names.setdefault(driver, {})
    connection = driver.pgconn
    if (name := names.get(text)) is None:
        name = b"tieout_%d" % len(names)
        connection.send_prepare(name, query)
        _result(driver)
        names[text] = name
    values = [params[each] for each in order]
    formats = None
    if bytes in map(type, values):
        formats = [pq.Format.BINARY if type(each) is bytes else pq.Format.TEXT for each in values]
    connection.send_query_prepared(name, list(map(_sent, values)), formats)
    found = _result(driver)
    return [
        tuple(_read(found.get_value(row, column)) for column in range(found.nfields))
        for row in range(found.ntuples)
    ]


@lru_cache(maxsize=100)
def _compiled(text: str) -> tuple[bytes, list[str]]:
    """As the server takes it, with numbers for parameters, and whose they are."""
    order: list[str] = []

    def number(placeholder: re.Match[str]) -> str:
        name = placeholder[1]
        if name is None:
            return "%"
        if name not in order:
            order.append(name)
        return f"${order.index(name) + 1}"

    return _PLACEHOLDER.sub(number, text).encode(), order


def _sent(value: Any) -> bytes | None:
    kind = type(value)
    if kind is list:
        return array_literal(value).encode()
    if kind is str:
        return value.encode()
    return value if value is None or kind is bytes else str(value).encode()


def _read(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def _result(driver: Any) -> Any:
    """Of what was sent last. Raises the psycopg.Error that it ended with."""
    (result,) = driver.wait(generators.execute(driver.pgconn))
    if result.status == pq.ExecStatus.FATAL_ERROR:
        raise error_from_result(result, encoding="utf-8")
    return result
