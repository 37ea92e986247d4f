"""Merchants, gateways and sources as code: one TOML file, applied as often as one likes.

    [[gateways]]     code, name, adapter, fee_basis_points, fee_fixed, settlement_days
    [[merchants]]    code, name, email, time_zone
      [[merchants.fee_plans]]  currency, basis_points, fixed, valid_from
    [[sources]]      code, kind, formats, zone, gateway, counterparties, deposit_days,
                     fx_tolerance_basis_points
      [[sources.accounts]]     identifier, currency

`docs/configuration.md` explains each field. What is not in the file is left alone.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import models, transaction

from ledger.errors import Invalid
from payments.models import FeePlan, Gateway, Merchant
from payments.services.gateways import define_gateway
from payments.services.merchants import register_merchant, set_fee_plan
from reconciliation.models import Source, SourceAccount
from reconciliation.services.sources import SourceTerms, define_source

Apply = Callable[[dict[str, Any]], None]


class ConfigurationInvalid(Invalid):
    code = "configuration_invalid"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a table: its type, and whether it must be there."""

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
        "fee_plans": Field(list),
    },
    "merchants.fee_plans": {
        "currency": Field(str, required=True),
        "basis_points": Field(int, required=True),
        "fixed": Field(int),
        "valid_from": Field(date, required=True),
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
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationInvalid(f"This is not TOML: {error}") from None
    unknown = set(data) - {name for name in TABLES if "." not in name}
    if unknown:
        raise ConfigurationInvalid(f"Unknown tables: {', '.join(sorted(unknown))}.")
    changes: list[str] = []
    steps: tuple[tuple[str, Apply, type[models.Model]], ...] = (
        ("gateways", _apply_gateway, Gateway),
        ("merchants", _apply_merchant, Merchant),
        ("sources", _apply_source, Source),
    )
    for table, apply, model in steps:
        for row in data.get(table, []):
            _check(table, row)
            changes += _noting_changes(model, row, apply)
    return changes


def _check(table: str, row: Any) -> None:
    """Raise ConfigurationInvalid, naming the field, unless the row has the table's shape."""
    if not isinstance(row, dict):
        raise ConfigurationInvalid(f"{table} needs [[{table}]] sections.")
    name = f"{table} {row.get('code', '')}".strip()
    for key, value in row.items():
        field = TABLES[table].get(key)
        if field is None:
            known = ", ".join(TABLES[table])
            raise ConfigurationInvalid(f"{name}: {key!r} is unknown; known are {known}.")
        if type(value) is not field.type:
            raise ConfigurationInvalid(f"{name}: {key} must be a {field.type.__name__}.")
        if f"{table}.{key}" in TABLES:
            for inner in row[key]:
                _check(f"{table}.{key}", inner)
    for key, field in TABLES[table].items():
        if field.required and key not in row:
            raise ConfigurationInvalid(f"{name}: {key} is missing.")


def _noting_changes(model: type[models.Model], row: dict[str, Any], apply: Apply) -> list[str]:
    before = _snapshot(model, row["code"])
    apply(row)
    after = _snapshot(model, row["code"])
    name = f"{model._meta.verbose_name} {row['code']}"
    if not before:
        return [f"{name}: created"]
    return [
        f"{name}: {field} {before.get(field)!r} → {value!r}"
        for field, value in after.items()
        if before.get(field) != value
    ]


def _snapshot(model: type[models.Model], code: str) -> dict[str, Any]:
    values = model._default_manager.filter(code=code).values().first()
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


def _apply_gateway(row: dict[str, Any]) -> None:
    define_gateway(**row)


def _apply_merchant(row: dict[str, Any]) -> None:
    terms = {key: value for key, value in row.items() if key != "fee_plans"}
    merchant = register_merchant(**terms)
    for plan in row.get("fee_plans", []):
        set_fee_plan(merchant, **plan)


def _apply_source(row: dict[str, Any]) -> None:
    accounts = tuple((item["identifier"], item["currency"]) for item in row.get("accounts", []))
    terms = {key: value for key, value in row.items() if key not in ("code", "accounts")}
    for key in ("formats", "counterparties"):
        if key in terms:
            terms[key] = tuple(terms[key])
    define_source(row["code"], SourceTerms(**terms, accounts=accounts))
