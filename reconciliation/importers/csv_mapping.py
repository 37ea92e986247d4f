"""What the columns of a source's CSV mean: plain data, checked here.

`docs/configuration.md` explains every key.
"""

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .csv_table import Dialect
from .csv_values import THOUSANDS, AmountPattern, DayPattern
from .records import LineKind
from .values import Unreadable, read_currency

# A column by its name, or by its place from 1.
Column = str | int
Options = Mapping[str, Any]

KEYS: Mapping[str, type] = {
    **dict.fromkeys(("encoding", "delimiter", "quote", "escape", "decimal", "thousands"), str),
    **dict.fromkeys(("date_format", "value_date_format", "order", "sign"), str),
    **dict.fromkeys(("account", "currency"), str),
    **dict.fromkeys(("header", "ragged_rows", "inverted", "fee_inverted"), bool),
    "skip_lines": int,
    **dict.fromkeys(("symbols", "months", "stop_at"), list),
    **dict.fromkeys(("skip", "pending", "booked", "continues"), list),
    **dict.fromkeys(("columns", "direction", "kinds", "labels", "currency_names"), dict),
}
COLUMNS = (
    *("booked_on", "value_on", "amount", "credit", "debit", "fee", "net", "balance", "currency"),
    *("account", "external_id", "reference", "parent_reference", "payout_id", "merchant"),
    *("counterparty", "payer", "payee", "foreign_amount", "foreign_currency"),
)
LISTS_OF_COLUMNS = ("text", "references")
LABELS = (
    *("account", "currency", "first_day", "last_day"),
    *("opening", "closing", "count", "credit", "debit"),
)
SIGNS = ("agrees", "ignored", "multiplies")
ORDERS = ("oldest_first", "newest_first")


class MappingInvalid(ValueError):
    """A mapping that says too little, too much or nonsense; the text names the key."""

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(f"csv.{key} {sentence}")


@dataclass(frozen=True, slots=True)
class Condition:
    """Holds for a row whose cell is one of `values` or begins with one of `prefixes`."""

    column: Column
    values: frozenset[str]
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """What a cell says by one of a few words; without a column they stand beside the amount."""

    column: Column | None
    meanings: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvMapping:
    """A mapping that has been checked; a field is the key of the same name, ready for use."""

    dialect: Dialect
    encoding: str
    skip_lines: int
    header: bool
    ragged_rows: bool
    amounts: AmountPattern
    booked_days: DayPattern
    value_days: DayPattern
    newest_first: bool
    account: str
    currency: str
    currency_names: Mapping[str, str]
    sign: str
    inverted: bool
    fee_inverted: bool
    stop_at: tuple[str, ...]
    skip: tuple[Condition, ...]
    pending: tuple[Condition, ...]
    booked: tuple[Condition, ...]
    continues: tuple[Condition, ...]
    columns: Mapping[str, tuple[Column, ...]]
    direction: Marks | None
    kinds: Marks | None
    labels: Mapping[str, str]
    names: frozenset[str]  # every column that is used by its name
    last_place: int  # the highest number by which one is used, 0 for none


def read_mapping(options: Options) -> CsvMapping:
    """The mapping that `options` are. Raises MappingInvalid, naming the key that is wrong."""
    _check_types(options)
    columns = _columns(options["columns"])
    conditions = {key: _conditions(key, options) for key in ("skip", "pending", "booked")}
    conditions["continues"] = _conditions("continues", options)
    value_format = "value_date_format" if "value_date_format" in options else "date_format"
    direction = _marks("direction", {"credit": 1, "debit": -1}, options)
    kinds = _marks("kinds", {kind.value: kind for kind in LineKind}, options)
    used: list[Column | None] = [column for places in columns.values() for column in places]
    used += [condition.column for several in conditions.values() for condition in several]
    used += [marks.column for marks in (direction, kinds) if marks is not None]
    mapping = CsvMapping(
        dialect=_dialect(options),
        encoding=_encoding(options.get("encoding", "cp1252")),
        skip_lines=options.get("skip_lines", 0),
        header=options.get("header", True),
        ragged_rows=options.get("ragged_rows", False),
        amounts=_amounts(options),
        booked_days=_days("date_format", options),
        value_days=_days(value_format, options),
        newest_first=_choice("order", ORDERS, options) == "newest_first",
        account="".join(options.get("account", "").split()),
        currency=_currency("currency", options.get("currency", "")),
        currency_names={
            name.upper(): _currency(f"currency_names.{name}", code)
            for name, code in _table("currency_names", options)
        },
        sign=_choice("sign", SIGNS, options),
        inverted=options.get("inverted", False),
        fee_inverted=options.get("fee_inverted", False),
        stop_at=tuple(_texts("stop_at", options.get("stop_at", []), filled=True)),
        columns=columns,
        direction=direction,
        kinds=kinds,
        labels={key: text.casefold() for key, text in _table("labels", options, LABELS)},
        names=frozenset(column for column in used if isinstance(column, str)),
        last_place=max((column for column in used if isinstance(column, int)), default=0),
        **conditions,
    )
    _check_together(mapping, options)
    return mapping


def _check_types(options: Options) -> None:
    for key, value in options.items():
        if key not in KEYS:
            raise MappingInvalid(key, f"is unknown; known are {', '.join(KEYS)}")
        if type(value) is not KEYS[key]:
            raise MappingInvalid(key, f"must be a {KEYS[key].__name__}")
        if "\\x00" in repr(value):
            raise MappingInvalid(key, "holds a NUL character")
    for key in ("date_format", "columns"):
        if key not in options:
            raise MappingInvalid(key, "is missing")
    if options.get("skip_lines", 0) < 0:
        raise MappingInvalid("skip_lines", "is negative")


def _check_together(mapping: CsvMapping, options: Options) -> None:
    """What only several keys together can say wrongly."""
    columns = mapping.columns
    if "booked_on" not in columns:
        raise MappingInvalid("columns.booked_on", "is missing")
    given = {"amount", "credit", "debit"} & set(columns)
    if given not in ({"amount"}, {"credit", "debit"}):
        raise MappingInvalid("columns", "need either amount, or credit and debit")
    if mapping.direction is not None and "amount" not in columns:
        raise MappingInvalid("direction", "goes with columns.amount")
    if "sign" in options and "amount" in columns and mapping.direction is None:
        raise MappingInvalid("sign", "goes with direction, or with columns.credit and .debit")
    if not (mapping.currency or "currency" in columns or "currency" in mapping.labels):
        raise MappingInvalid("currency", "is missing: a code, a column or a label tells it")
    if mapping.kinds is not None and mapping.kinds.column is None:
        raise MappingInvalid("kinds.column", "is missing")
    if mapping.names and not mapping.header:
        name = min(mapping.names)
        raise MappingInvalid("header", f"is false, so column {name!r} needs its number instead")


def _dialect(options: Options) -> Dialect:
    marks = {"delimiter": ",", "quote": '"', "escape": ""}
    for key, usual in marks.items():
        mark = marks[key] = options.get(key, usual)
        if len(mark) > 1 or (not mark and key == "delimiter") or mark in ("\r", "\n", " "):
            raise MappingInvalid(key, "must be one character")
    used = [mark for mark in marks.values() if mark]
    if len(set(used)) < len(used):
        raise MappingInvalid("delimiter", "must differ from quote, and escape from both")
    return Dialect(**marks)


def _encoding(name: str) -> str:
    try:
        if "1,2;3\n".encode(name).decode(name) == "1,2;3\n":
            return codecs.lookup(name).name
    except (LookupError, UnicodeError, ValueError):
        pass
    raise MappingInvalid("encoding", f"{name!r} is no text encoding we know")


def _amounts(options: Options) -> AmountPattern:
    decimal, thousands = options.get("decimal", "."), options.get("thousands", "")
    if decimal not in (".", ","):
        raise MappingInvalid("decimal", 'is "." or ","')
    if thousands not in THOUSANDS or thousands == decimal:
        raise MappingInvalid("thousands", f"is one of {list(THOUSANDS)}, and not decimal")
    symbols = _texts("symbols", options.get("symbols", []), filled=True)
    return AmountPattern(decimal, thousands, symbols)


def _currency(key: str, code: str) -> str:
    try:
        return read_currency(code, "is") if code else ""
    except Unreadable:
        raise MappingInvalid(key, f"{code!r} is not a currency code") from None


def _days(key: str, options: Options) -> DayPattern:
    months = _texts("months", options.get("months", []), filled=True)
    if len(months) not in (0, 12):
        raise MappingInvalid("months", "are twelve names")
    try:
        return DayPattern(options[key], months)
    except ValueError as problem:
        raise MappingInvalid(key, f"{options[key]!r}: {problem}") from None


def _columns(table: Mapping[str, Any]) -> dict[str, tuple[Column, ...]]:
    known = (*COLUMNS, *LISTS_OF_COLUMNS)
    found: dict[str, tuple[Column, ...]] = {}
    for key, value in table.items():
        if key not in known:
            raise MappingInvalid(f"columns.{key}", f"is unknown; known are {', '.join(known)}")
        several = value if key in LISTS_OF_COLUMNS and isinstance(value, list) else [value]
        found[key] = tuple(_column(f"columns.{key}", one) for one in several)
    return found


def _column(key: str, value: Any) -> Column:
    if (type(value) is int and value >= 1) or (isinstance(value, str) and value.strip()):
        column: Column = value
        return column
    raise MappingInvalid(key, "must be the name of a column, or its number from 1")


def _conditions(key: str, options: Options) -> tuple[Condition, ...]:
    found = []
    for place, row in enumerate(options.get(key, ()), start=1):
        name = f"{key}[{place}]"
        if not isinstance(row, dict) or not {"column"} < set(row) <= {"column", "is", "begins"}:
            raise MappingInvalid(name, 'must be { column = …, is = ["…"], begins = ["…"] }')
        values = [text.strip() for text in _texts(f"{name}.is", row.get("is", []))]
        prefixes = _texts(f"{name}.begins", row.get("begins", []), filled=True)
        column = _column(f"{name}.column", row["column"])
        found.append(Condition(column, frozenset(map(str.casefold, values)), tuple(prefixes)))
    return tuple(found)


def _marks(key: str, meanings: Mapping[str, Any], options: Options) -> Marks | None:
    if key not in options:
        return None
    table = dict(options[key])
    column = _column(f"{key}.column", table.pop("column")) if "column" in table else None
    found: dict[str, Any] = {}
    for name, words in table.items():
        if name not in meanings:
            raise MappingInvalid(f"{key}.{name}", f"is unknown; known are {', '.join(meanings)}")
        for word in _texts(f"{key}.{name}", words):
            if found.setdefault(word.strip().casefold(), meanings[name]) != meanings[name]:
                raise MappingInvalid(f"{key}.{name}", f"{word!r} already means something else")
    if not found:
        raise MappingInvalid(key, "tells no words")
    return Marks(column, found)


def _choice(key: str, known: Sequence[str], options: Options) -> str:
    chosen: str = options.get(key, known[0])
    if chosen not in known:
        raise MappingInvalid(key, f"is one of {', '.join(known)}")
    return chosen


def _texts(key: str, values: Any, filled: bool = False) -> list[str]:
    """The list of texts that `values` is; `filled` ones are not empty, and casefolded."""
    if not isinstance(values, list) or not all(isinstance(text, str) for text in values):
        raise MappingInvalid(key, "must be a list of texts")
    if filled and not all(map(str.strip, values)):
        raise MappingInvalid(key, "holds an empty text")
    return [text.strip().casefold() for text in values] if filled else values


def _table(key: str, options: Options, known: Sequence[str] = ()) -> list[tuple[str, str]]:
    for name, text in options.get(key, {}).items():
        if known and name not in known:
            raise MappingInvalid(f"{key}.{name}", f"is unknown; known are {', '.join(known)}")
        if not isinstance(text, str) or not text.strip():
            raise MappingInvalid(f"{key}.{name}", "must be a text")
    return list(options.get(key, {}).items())
