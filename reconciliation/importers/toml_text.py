"""A mapping as the TOML that `load_config` reads."""

from collections.abc import Iterator
from typing import Any


def as_toml(mapping: dict[str, Any], table: str = "sources.csv") -> Iterator[str]:
    """The lines of a TOML table that says the mapping."""
    yield f"[{table}]"
    for key, value in mapping.items():
        if not isinstance(value, dict):
            yield f"{key} = {_toml(value)}"
    for key, value in mapping.items():
        if isinstance(value, dict):
            yield ""
            yield from as_toml(value, f"{table}.{key}")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
        return f'"{escaped}"'
    return str(value)
