"""The shape of a configuration file: its tables and fields, checked before anything is applied."""

import tomllib
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from ledger.errors import Invalid

Row = dict[str, Any]


class ConfigurationInvalid(Invalid):
    code = "configuration_invalid"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a table: its type, and whether it must be there.

    Lists are of tables, of numbers or of texts.
    """

    type: type
    required: bool = False
    of_numbers: bool = False


TABLES: dict[str, dict[str, Field]] = {
    "gateways": {
        "code": Field(str, required=True),
        "name": Field(str),
        "adapter": Field(str),
        "fee_basis_points": Field(int),
        "fee_fixed": Field(int),
        "settlement_days": Field(int),
    },
    "merchants": {
        "code": Field(str, required=True),
        "name": Field(str),
        "email": Field(str),
        "time_zone": Field(str),
        "gateway": Field(str),
        "fee_plans": Field(list),
        "settlement_schedules": Field(list),
        "bank_accounts": Field(list),
    },
    "merchants.fee_plans": {
        "currency": Field(str, required=True),
        "basis_points": Field(int, required=True),
        "fixed": Field(int),
        "method": Field(str),
        "minimum": Field(int),
        "maximum": Field(int),
        "refund_policy": Field(str),
        "dispute_fee": Field(int),
        "valid_from": Field(date, required=True),
    },
    "merchants.settlement_schedules": {
        "valid_from": Field(date, required=True),
        "zone": Field(str),
        "cut_off": Field(time),
        "interval": Field(str),
        "weekdays": Field(list, of_numbers=True),
        "month_days": Field(list, of_numbers=True),
        "holidays": Field(str),
        "delay_days": Field(int),
        "minimum_payouts": Field(dict),
        "reserve_basis_points": Field(int),
        "reserve_days": Field(int),
    },
    "merchants.bank_accounts": {
        "currency": Field(str, required=True),
        "holder": Field(str, required=True),
        "iban": Field(str, required=True),
        "bic": Field(str),
    },
    "debtor_accounts": {
        "code": Field(str, required=True),
        "holder": Field(str, required=True),
        "iban": Field(str, required=True),
        "bic": Field(str),
        "currency": Field(str, required=True),
    },
    "account_groups": {
        "prefix": Field(str, required=True),
        "type": Field(str, required=True),
        "name": Field(str),
    },
    "accounts": {
        "code": Field(str, required=True),
        "type": Field(str),
        "currency": Field(str),
        "currencies": Field(list),
        "name": Field(str),
        "floor": Field(int),
        "owner": Field(str),
    },
    "sources": {
        "code": Field(str, required=True),
        "kind": Field(str, required=True),
        "formats": Field(list, required=True),
        "zone": Field(str),
        "gateway": Field(str),
        "counterparties": Field(list),
        "deposit_days": Field(int),
        "fx_tolerance_basis_points": Field(int),
        "accounts": Field(list),
        "csv": Field(dict),
        "options": Field(dict),
        "on_bad_line": Field(str),
    },
    "sources.accounts": {
        "identifier": Field(str, required=True),
        "currency": Field(str, required=True),
    },
}


def read_tables(text: str) -> dict[str, list[Row]]:
    """The rows of each table, all of the right shape. Raises ConfigurationInvalid."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationInvalid(f"This is not TOML: {error}") from None
    names = [name for name in TABLES if "." not in name]
    unknown = set(data) - set(names)
    if unknown:
        raise ConfigurationInvalid(f"Unknown tables: {', '.join(sorted(unknown))}.")
    tables = {name: data.get(name, []) for name in names}
    for name, rows in tables.items():
        _check_rows(name, rows)
    return tables


def _check_rows(table: str, rows: Any) -> None:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigurationInvalid(f"{table} needs [[{table}]] sections.")
    for row in rows:
        _check(table, row)


def _check(table: str, row: Row) -> None:
    """Raise ConfigurationInvalid, naming the field, unless the row has the table's shape."""
    name = f"{table} {row.get('code', row.get('prefix', ''))}".strip()
    for key, value in row.items():
        field = TABLES[table].get(key)
        if field is None:
            known = ", ".join(TABLES[table])
            raise ConfigurationInvalid(f"{name}: {key!r} is unknown; known are {known}.")
        if type(value) is not field.type:
            raise ConfigurationInvalid(f"{name}: {key} must be a {field.type.__name__}.")
        if f"{table}.{key}" in TABLES:
            _check_rows(f"{table}.{key}", value)
        elif field.of_numbers:
            if not all(type(item) is int for item in row[key]):
                raise ConfigurationInvalid(f"{name}: {key} must be a list of whole numbers.")
        else:
            _check_texts(f"{name}: {key}", row[key])
    for key, field in TABLES[table].items():
        if field.required and key not in row:
            raise ConfigurationInvalid(f"{name}: {key} is missing.")


def _check_texts(name: str, value: Any) -> None:
    """A text is one line, and a list is of such texts."""
    texts = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    if not all(isinstance(text, str) and text.isprintable() for text in texts):
        raise ConfigurationInvalid(f"{name} must be text on one line, or a list of such texts.")
