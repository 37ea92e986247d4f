"""The chart, merchants, gateways and sources as code: one TOML file, applied as often as one likes.

    [[gateways]]         code, name, adapter, fee_basis_points, fee_fixed, settlement_days
    [[merchants]]        code, name, email, time_zone, gateway
      [[merchants.fee_plans]]  currency, method, valid_from, basis_points, fixed, minimum, maximum,
                               refund_policy, dispute_fee
      [[merchants.settlement_schedules]]  valid_from, zone, cut_off, interval, weekdays, month_days,
                               holidays, delay_days, minimum_payouts, reserve_basis_points,
                               reserve_days
      [[merchants.bank_accounts]]  currency, holder, iban, bic
    [[debtor_accounts]]  code, holder, iban, bic, currency
    [[account_groups]]   prefix, type, name
    [[accounts]]         code, type, currency or currencies, name, floor, owner
    [[sources]]          code, kind, formats, zone, gateway, counterparties, deposit_days,
                         fx_tolerance_basis_points, on_bad_line
      [[sources.accounts]]     identifier, currency
      [sources.csv]            what the columns of its CSV mean
      [sources.options.FORMAT] what else a format needs to be told

`docs/configuration.md` explains each field. What is not in the file is left alone.
"""

import tomllib
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import models, transaction

from config.configuration_tables import TABLES, ConfigurationInvalid, Row, read_tables
from ledger.actors import Actor
from ledger.entries import AccountRef, AccountType
from ledger.models import Account, AccountGroup
from ledger.services.accounts import open_account, set_floor
from ledger.services.chart import define_account_group, type_in_chart
from payments.models import FeePlan, Gateway, Merchant
from payments.services.gateways import choose_gateway, define_gateway
from payments.services.merchants import register_merchant, set_fee_plan
from reconciliation.models import Source, SourceAccount
from reconciliation.services.sources import SourceTerms, define_source
from settlements.models import DebtorAccount, MerchantBankAccount, SettlementSchedule
from settlements.rails.orders import NamedAccount
from settlements.services.bank_accounts import (
    ask_for_bank_account,
    define_debtor_account,
    verify_bank_account,
)
from settlements.services.schedules import ScheduleTerms, set_schedule

ACTOR = Actor.system("load_config")
VERIFIER = Actor.system("configuration")
# What our own entries need is the same everywhere, whatever else a chart has.
PLATFORM_CHART = Path(__file__).with_name("chart.toml")


@transaction.atomic
def load_configuration(text: str) -> list[str]:
    """Apply a TOML text; returns one sentence per change. Raises ConfigurationInvalid."""
    tables = read_tables(text)
    tables["account_groups"] = _with_platform_groups(tables["account_groups"])
    tables["accounts"] = [one for row in tables["accounts"] for one in _per_currency(row)]
    changes: list[str] = []
    # Accounts need their groups and owners; groups come late because they lock the chart.
    steps: tuple[tuple[str, Callable[[Row], None], type[models.Model]], ...] = (
        ("gateways", _apply_gateway, Gateway),
        ("merchants", _apply_merchant, Merchant),
        ("debtor_accounts", _apply_debtor_account, DebtorAccount),
        ("account_groups", _apply_account_group, AccountGroup),
        ("accounts", _apply_account, Account),
        ("sources", _apply_source, Source),
    )
    for table, apply, model in steps:
        for row in tables[table]:
            changes += _noting_changes(model, row, apply)
    return changes


def _noting_changes(model: type[models.Model], row: Row, apply: Callable[[Row], None]) -> list[str]:
    before = _snapshot(model, row)
    apply(row)
    after = _snapshot(model, row)
    name = f"{model._meta.verbose_name} {row.get('code', row.get('prefix', ''))}".rstrip(":")
    if not before:
        return [f"{name}: created"]
    return [
        f"{name}: {field} {before.get(field)!r} → {after.get(field)!r}"
        for field in {**before, **after}
        if before.get(field) != after.get(field)
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
            .order_by("currency", "method", "valid_from")
            .values_list(*TABLES["merchants.fee_plans"])
        )
        values["settlement_schedules"] = list(
            SettlementSchedule.objects.filter(merchant_id=values["id"])
            .order_by("valid_from")
            .values_list(*TABLES["merchants.settlement_schedules"])
        )
        values["bank_accounts"] = [
            (account.currency, account.masked_iban, account.status)
            for account in MerchantBankAccount.objects.filter(
                merchant_id=values["id"], status__in=["UNVERIFIED", "VERIFIED"]
            ).order_by("currency", "pk")
        ]
    if model is Source:
        source = Source.objects.get(pk=values["id"])
        for name in ("deposit_days", "fx_tolerance_basis_points"):
            values[name] = getattr(source, name)
        values["accounts"] = list(
            SourceAccount.objects.filter(source_id=values["id"]).values_list(
                "identifier", "currency"
            )
        )
        for code, options in values.pop("options").items():
            values |= {f"{code}.{key}": value for key, value in options.items()}
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
    told = ("fee_plans", "settlement_schedules", "gateway", "bank_accounts")
    terms = {key: value for key, value in row.items() if key not in told}
    merchant = register_merchant(**terms)
    choose_gateway(merchant, row.get("gateway", ""))
    for plan in row.get("fee_plans", []):
        set_fee_plan(merchant, set_by=str(ACTOR), **plan)
    for schedule in row.get("settlement_schedules", []):
        schedule_terms = {key: value for key, value in schedule.items() if key != "valid_from"}
        set_schedule(
            merchant,
            ScheduleTerms(**schedule_terms),
            valid_from=schedule["valid_from"],
            actor=ACTOR,
        )
    for account in row.get("bank_accounts", []):
        _apply_bank_account(merchant, account)


def _apply_bank_account(merchant: Merchant, row: Row) -> None:
    """Asked for; where real money moves, whoever wrote the file does not verify it as well."""
    account = ask_for_bank_account(
        merchant, _named_account(row), currency=row["currency"], actor=ACTOR
    )
    if account.status == MerchantBankAccount.Status.UNVERIFIED and not settings.IS_PRODUCTION:
        verify_bank_account(account, actor=VERIFIER)


def _apply_debtor_account(row: Row) -> None:
    define_debtor_account(row["code"], _named_account(row), currency=row["currency"], actor=ACTOR)


def _named_account(row: Row) -> NamedAccount:
    return NamedAccount(row["holder"], row["iban"], row.get("bic", ""))


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
    told = ("code", "accounts", "csv", "options")
    terms = {key: value for key, value in row.items() if key not in told}
    for key in ("formats", "counterparties"):
        if key in terms:
            terms[key] = tuple(terms[key])
    options = _options(row)
    define_source(
        row["code"],
        SourceTerms(**terms, options=options, accounts=accounts),
        set_by=str(ACTOR),
    )


def _options(row: Row) -> dict[str, Row]:
    """What each format is told: `[sources.csv]`, and `[sources.options.…]` for the others."""
    options: dict[str, Row] = row.get("options", {})
    for code, told in options.items():
        if code == "csv" or not isinstance(told, dict):
            raise ConfigurationInvalid(f"sources {row['code']}: options.{code} is no such table.")
    return {**options, "csv": row["csv"]} if "csv" in row else options
