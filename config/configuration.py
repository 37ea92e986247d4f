"""The chart, merchants, gateways and sources as code: one TOML file, applied as often as one likes.

    [[gateways]]         code, name, adapter, fee_basis_points, fee_fixed, settlement_days
    [[merchants]]        code, name, email, time_zone, gateway
      [[merchants.fee_plans]]  currency, basis_points, fixed, valid_from
    [[account_groups]]   prefix, type, name
    [[accounts]]         code, type, currency or currencies, name, floor, owner
    [[sources]]          code, kind, formats, zone, gateway, counterparties, deposit_days,
                         fx_tolerance_basis_points
      [[sources.accounts]]     identifier, currency

`docs/configuration.md` explains each field. What is not in the file is left alone.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.db import models, transaction

from ledger.actors import Actor
from ledger.entries import AccountRef, AccountType
from ledger.errors import Invalid
from ledger.models import Account, AccountGroup
from ledger.services.accounts import open_account, set_floor
from ledger.services.chart import define_account_group, type_in_chart
from payments.models import FeePlan, Gateway, Merchant
from payments.services.gateways import choose_gateway, define_gateway
from payments.services.merchants import register_merchant, set_fee_plan
from reconciliation.models import Source, SourceAccount
from reconciliation.services.sources import SourceTerms, define_source

Row = dict[str, Any]

ACTOR = Actor.system("load_config")
# What our own entries need is the same everywhere, whatever else a chart has.
PLATFORM_CHART = Path(__file__).with_name("chart.toml")


class ConfigurationInvalid(Invalid):
    code = "configuration_invalid"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a table: its type, and whether it must be there. Lists are of texts or tables."""

    type: type
    required: bool = False


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
    },
    "merchants.fee_plans": {
        "currency": Field(str, required=True),
        "basis_points": Field(int, required=True),
        "fixed": Field(int),
        "valid_from": Field(date, required=True),
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
    },
    "sources.accounts": {
        "identifier": Field(str, required=True),
        "currency": Field(str, required=True),
    },
}


@transaction.atomic
def load_configuration(text: str) -> list[str]:
    """Apply a TOML text; returns one sentence per change. Raises ConfigurationInvalid."""
    tables = _read(text)
    tables["account_groups"] = _with_platform_groups(tables["account_groups"])
    tables["accounts"] = [one for row in tables["accounts"] for one in _per_currency(row)]
    changes: list[str] = []
    # Accounts need their groups and owners; groups come late because they lock the chart.
    steps: tuple[tuple[str, Callable[[Row], None], type[models.Model]], ...] = (
        ("gateways", _apply_gateway, Gateway),
        ("merchants", _apply_merchant, Merchant),
        ("account_groups", _apply_account_group, AccountGroup),
        ("accounts", _apply_account, Account),
        ("sources", _apply_source, Source),
    )
    for table, apply, model in steps:
        for row in tables[table]:
            changes += _noting_changes(model, row, apply)
    return changes


def _read(text: str) -> dict[str, list[Row]]:
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


def _noting_changes(model: type[models.Model], row: Row, apply: Callable[[Row], None]) -> list[str]:
    before = _snapshot(model, row)
    apply(row)
    after = _snapshot(model, row)
    name = f"{model._meta.verbose_name} {row.get('code', row.get('prefix', ''))}".rstrip(":")
    if not before:
        return [f"{name}: created"]
    return [
        f"{name}: {field} {before.get(field)!r} → {value!r}"
        for field, value in after.items()
        if before.get(field) != value
    ]


def _snapshot(model: type[models.Model], row: Row) -> Row:
    named = {"prefix": row["prefix"]} if model is AccountGroup else {"code": row["code"]}
    if model is Account:
        named["owner"] = _owner_id(row)
    values = model._default_manager.filter(**named).values().first()
    if values is None:
        return {}
    if model is Merchant:
        values["fee_plans"] = list(
            FeePlan.objects.filter(merchant_id=values["id"])
            .order_by("currency", "valid_from")
            .values_list("currency", "basis_points", "fixed", "valid_from")
        )
    if model is Source:
        values["accounts"] = list(
            SourceAccount.objects.filter(source_id=values["id"]).values_list(
                "identifier", "currency"
            )
        )
    return values


def _with_platform_groups(rows: list[Row]) -> list[Row]:
    """The groups of the platform's own chart that are not declared yet, then these."""
    platform = tomllib.loads(PLATFORM_CHART.read_text())["account_groups"]
    types = {group["prefix"]: group["type"] for group in platform}
    for row in rows:
        if types.get(row["prefix"], row["type"]) != row["type"]:
            raise ConfigurationInvalid(
                f"account_groups {row['prefix']}: the platform itself posts to accounts of"
                f" type {types[row['prefix']]} there."
            )
    known = set(AccountGroup.objects.values_list("prefix", flat=True))
    return [group for group in platform if group["prefix"] not in known] + rows


def _per_currency(row: Row) -> list[Row]:
    """One row per account: `currency` names one by its code, `currencies` adds `:EUR` to it."""
    common = {key: value for key, value in row.items() if key != "currencies"}
    if ("currency" in row) == bool(row.get("currencies")):
        raise ConfigurationInvalid(f"accounts {row['code']}: needs either currency or currencies.")
    return (
        [common]
        if "currency" in row
        else [
            {**common, "code": f"{row['code']}:{currency}", "currency": currency}
            for currency in row["currencies"]
        ]
    )


def _apply_gateway(row: Row) -> None:
    define_gateway(**row)


def _apply_merchant(row: Row) -> None:
    terms = {key: value for key, value in row.items() if key not in ("fee_plans", "gateway")}
    merchant = register_merchant(**terms)
    choose_gateway(merchant, row.get("gateway", ""))
    for plan in row.get("fee_plans", []):
        set_fee_plan(merchant, **plan)


def _apply_account_group(row: Row) -> None:
    kind = _account_type(f"account_groups {row['prefix']}", row["type"])
    define_account_group(row["prefix"], kind=kind, name=row.get("name", ""))


def _apply_account(row: Row) -> None:
    subject = f"accounts {row['code']}"
    kind = _account_type(subject, row["type"]) if "type" in row else type_in_chart(row["code"])
    if kind is None:
        raise ConfigurationInvalid(f"{subject}: type is missing, and no account group says it.")
    ref = AccountRef(row["code"], kind, row["currency"], _owner_id(row), row.get("floor"))
    account = open_account(ref, name=row.get("name", ""))
    if "floor" in row:
        set_floor(account, row["floor"], actor=ACTOR)


def _account_type(subject: str, text: str) -> AccountType:
    try:
        return AccountType(text)
    except ValueError:
        known = ", ".join(AccountType)
        raise ConfigurationInvalid(f"{subject}: type {text!r} is none of {known}.") from None


def _owner_id(row: Row) -> str:
    """The public id of the merchant an account belongs to; "" if it is ours."""
    if "owner" not in row:
        return ""
    merchant = Merchant.objects.filter(code=row["owner"]).first()
    if merchant is None:
        raise ConfigurationInvalid(
            f"accounts {row['code']}: there is no merchant {row['owner']!r} to own it."
        )
    return merchant.public_id


def _apply_source(row: Row) -> None:
    accounts = tuple((item["identifier"], item["currency"]) for item in row.get("accounts", []))
    terms = {key: value for key, value in row.items() if key not in ("code", "accounts")}
    for key in ("formats", "counterparties"):
        if key in terms:
            terms[key] = tuple(terms[key])
    define_source(row["code"], SourceTerms(**terms, accounts=accounts))
