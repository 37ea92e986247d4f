"""Sources and the accounts they report on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from ledger.actors import Actor
from ledger.entries import AccountRef
from ledger.errors import Invalid
from ledger.money import exponent_of
from ledger.services import audit
from ledger.services.accounts import open_account
from payments.bookkeeping import clearing
from payments.models import Gateway
from reconciliation.importers import FORMATS
from reconciliation.importers.csv_mapping import MappingInvalid, read_mapping
from reconciliation.locks import lock_source
from reconciliation.models import Source, SourceAccount
from reconciliation.services.settings import (
    CONFIGURATION,
    Tolerance,
    note_tolerance,
    note_version,
)
from reconciliation.sign_off import OPTIONS as SIGN_OFF_OPTIONS
from reconciliation.sign_off import read_materiality
from settlements.bookkeeping import bank

# What other formats than "csv" may be told about the files of a source: texts.
OPTIONS: Mapping[str, tuple[str, ...]] = {"paypal.activity": ("date_format", "decimal")}


@dataclass(frozen=True, slots=True)
class SourceTerms:
    """A source as configured; see the fields of Source."""

    kind: str
    formats: tuple[str, ...]
    zone: str = "UTC"
    gateway: str = ""
    counterparties: tuple[str, ...] = ()
    deposit_days: int = 1
    fx_tolerance_basis_points: int = 0
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by format
    on_bad_line: str = ""
    accounts: tuple[tuple[str, str], ...] = field(default=())  # (identifier, currency)


@transaction.atomic
def define_source(
    code: str, terms: SourceTerms, *, set_by: str = CONFIGURATION, reason: str = ""
) -> Source:
    """Create the source with this code or bring it up to date. Raises Invalid.

    What it was before stays as one of its versions.
    """
    if terms.kind not in Source.Kind.values:
        raise Invalid(f"Source {code}: {terms.kind!r} is no kind of source.")
    if terms.kind == Source.Kind.BANK_STATEMENT and terms.gateway:
        raise Invalid(f"Source {code}: a bank has no gateway.")
    if terms.on_bad_line not in ("", *Source.OnBadLine.values):
        known = ", ".join(Source.OnBadLine.values)
        raise Invalid(f"Source {code}: on_bad_line {terms.on_bad_line!r} is none of {known}.")
    if min(terms.deposit_days, terms.fx_tolerance_basis_points) < 0:
        raise Invalid(f"Source {code}: days and tolerances are not negative.")
    unknown = set(terms.formats) - set(FORMATS)
    if unknown:
        raise Invalid(f"Source {code}: {', '.join(sorted(unknown))} is no format we read.")
    _check_options(code, terms)
    try:
        ZoneInfo(terms.zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Invalid(f"Source {code}: {terms.zone!r} is no IANA time zone.") from None
    gateway = None
    if terms.kind == Source.Kind.PROCESSOR_REPORT:
        gateway = Gateway.objects.filter(code=terms.gateway).first()
        if gateway is None:
            raise Invalid(f"Source {code}: there is no gateway {terms.gateway!r}.")
        if other := gateway.sources.exclude(code=code).first():
            raise Invalid(
                f"Source {code}: {other} reports on gateway {gateway} already; one money is"
                " reported once. Name all its formats there."
            )
    source, _ = Source.objects.update_or_create(
        code=code,
        defaults={
            "kind": terms.kind,
            "formats": list(terms.formats),
            "zone": terms.zone,
            "gateway": gateway,
            "counterparties": list(terms.counterparties),
            "options": dict(terms.options),
            "on_bad_line": terms.on_bad_line,
        },
    )
    note_version(source, set_by=set_by, reason=reason)
    tolerance = Tolerance(terms.fx_tolerance_basis_points, terms.deposit_days)
    note_tolerance(source, tolerance, set_by=set_by, reason=reason)
    for identifier, currency in terms.accounts:
        source_account(source, identifier, currency)
    return source


@transaction.atomic
def change_source(
    source: Source,
    *,
    formats: tuple[str, ...],
    zone: str,
    counterparties: tuple[str, ...],
    on_bad_line: str,
    actor: Actor,
    reason: str,
) -> Source:
    """The source's files are read like this from now on; what it was stays as one of its versions.

    Raises Invalid and ReasonMissing.
    """
    reason = audit.required(reason).strip()
    now = lock_source(source.pk)
    before = now.versions.first()
    # What only a format that is left had to be told goes with it.
    kept = {*formats, SIGN_OFF_OPTIONS}
    terms = SourceTerms(
        kind=now.kind,
        formats=formats,
        zone=zone,
        gateway=now.gateway.code if now.gateway else "",
        counterparties=counterparties,
        deposit_days=now.deposit_days,
        fx_tolerance_basis_points=now.fx_tolerance_basis_points,
        options={name: told for name, told in now.options.items() if name in kept},
        on_bad_line=on_bad_line,
    )
    changed = define_source(now.code, terms, set_by=str(actor), reason=reason)
    after = changed.versions.first()
    audit.record(
        "source.changed",
        f"source:{now.code}",
        actor=actor,
        reason=reason,
        before=before.terms if before else None,
        after=after.terms if after else None,
    )
    return changed


def _check_options(code: str, terms: SourceTerms) -> None:
    """A CSV file means nothing without a mapping; few other formats leave anything to be told."""
    if "csv" in terms.formats and "csv" not in terms.options:
        raise Invalid(f"Source {code}: csv is among its formats and has no mapping.")
    for name, options in terms.options.items():
        if name == SIGN_OFF_OPTIONS:
            read_materiality(options)
            continue
        if name not in terms.formats:
            raise Invalid(f"Source {code}: {name} has options and is not among its formats.")
        if name == "csv":
            _check_mapping(code, terms.kind, options)
            continue
        known = OPTIONS.get(name, ())
        for key, value in options.items():
            if key not in known or not isinstance(value, str):
                told = f"the texts {', '.join(known)}" if known else "no options"
                raise Invalid(f"Source {code}: {name}.{key} is not one; it takes {told}.")


def _check_mapping(code: str, kind: str, options: Mapping[str, Any]) -> None:
    try:
        mapping = read_mapping(options)
    except MappingInvalid as problem:
        raise Invalid(f"Source {code}: {problem}.") from None
    tells_account = mapping.account or "account" in {*mapping.columns, *mapping.labels}
    if kind == Source.Kind.BANK_STATEMENT and not tells_account:
        raise Invalid(f"Source {code}: csv.account is missing: it, a column or a label tells it.")


def source_account(source: Source, identifier: str, currency: str) -> SourceAccount:
    """The source's account, opened with its ledger account if it is new.

    Raises Invalid if another source reports on it.
    """
    exponent_of(currency)
    account = open_account(_ledger_account(source, identifier, currency))
    if other := SourceAccount.objects.filter(ledger_account=account).exclude(source=source).first():
        raise Invalid(
            f"Source {source}: {other.source} reports on {identifier} {currency} already; one money"
            " is reported once. Name all its formats there."
        )
    found, _ = SourceAccount.objects.get_or_create(
        source=source,
        identifier=identifier,
        currency=currency,
        defaults={"ledger_account": account},
    )
    return found


def processor_accounts(source: Source, currencies: Iterable[str]) -> None:
    """Give a processor an account for each currency it owes us money in."""
    assert source.gateway is not None
    for currency in sorted(set(currencies)):
        source_account(source, source.code, currency)


def _ledger_account(source: Source, identifier: str, currency: str) -> AccountRef:
    if source.gateway is not None:
        return clearing(source.gateway.code, currency)
    return bank(identifier, currency)
