"""Sources and the accounts they report on."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from ledger.entries import AccountRef
from ledger.errors import Invalid
from ledger.money import exponent_of
from ledger.services.accounts import open_account
from payments.bookkeeping import clearing
from payments.models import Gateway
from reconciliation.importers import FORMATS
from reconciliation.models import Source, SourceAccount
from settlements.bookkeeping import bank


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
    accounts: tuple[tuple[str, str], ...] = field(default=())  # (identifier, currency)


@transaction.atomic
def define_source(code: str, terms: SourceTerms) -> Source:
    """Create the source with this code or bring it up to date. Raises Invalid."""
    if terms.kind not in Source.Kind.values:
        raise Invalid(f"Source {code}: {terms.kind!r} is no kind of source.")
    if terms.kind == Source.Kind.BANK_STATEMENT and terms.gateway:
        raise Invalid(f"Source {code}: a bank has no gateway.")
    if min(terms.deposit_days, terms.fx_tolerance_basis_points) < 0:
        raise Invalid(f"Source {code}: days and tolerances are not negative.")
    unknown = set(terms.formats) - set(FORMATS)
    if unknown:
        raise Invalid(f"Source {code}: {', '.join(sorted(unknown))} is no format we read.")
    try:
        ZoneInfo(terms.zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Invalid(f"Source {code}: {terms.zone!r} is no IANA time zone.") from None
    gateway = None
    if terms.kind == Source.Kind.PROCESSOR_REPORT:
        gateway = Gateway.objects.filter(code=terms.gateway).first()
        if gateway is None:
            raise Invalid(f"Source {code}: there is no gateway {terms.gateway!r}.")
    source, _ = Source.objects.update_or_create(
        code=code,
        defaults={
            "kind": terms.kind,
            "formats": list(terms.formats),
            "zone": terms.zone,
            "gateway": gateway,
            "counterparties": list(terms.counterparties),
            "deposit_days": terms.deposit_days,
            "fx_tolerance_basis_points": terms.fx_tolerance_basis_points,
        },
    )
    for identifier, currency in terms.accounts:
        source_account(source, identifier, currency)
    return source


def source_account(source: Source, identifier: str, currency: str) -> SourceAccount:
    """The source's account, opened with its ledger account if it is new."""
    exponent_of(currency)
    account = open_account(_ledger_account(source, identifier, currency))
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
