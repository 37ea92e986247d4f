"""Lists as PostgreSQL writes arrays."""

from datetime import datetime
from types import NoneType
from typing import Any

# Of so many it takes longer to see what they have in common.
FEW = 4


def array_literal(values: list[Any]) -> str:
    """A PostgreSQL array as text, for a parameter that the statement casts (`::bigint[]`).

    The driver writes arrays element by element in Python, which costs more than posting them.
    """
    if len(values) <= FEW:
        return "{" + ",".join(map(_element, values)) + "}"
    kinds = set(map(type, values))
    is_full = NoneType not in kinds
    kinds.discard(NoneType)
    kind = kinds.pop() if len(kinds) == 1 else NoneType
    if kind is int and is_full:
        return "{" + ",".join(map(str, values)) + "}"
    if issubclass(kind, str) and is_full:
        joined = '","'.join(values)
        if "\\" not in joined and joined.count('"') == 2 * (len(values) - 1):
            return '{"' + joined + '"}'
    if kind is datetime:
        # Often the same moment many times.
        texts = {value: _element(value) for value in set(values)}
        return "{" + ",".join([texts[value] for value in values]) + "}"
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if kind is int:
        return str(value)
    if value is None:
        return "NULL"
    if kind is bytes:
        return f'"\\\\x{value.hex()}"'
    return _element(value.isoformat() if kind is datetime else str(value))
