"""What stands in the way of somebody signing an account's statements off."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet

from ledger.errors import Invalid
from ledger.money import Money
from reconciliation.models import Discrepancy, RejectedLine, Source, SourceAccount, StatementFile

LINES_NAMED = 5
# In the options of a source: `{"sign_off": {"materiality": {"EUR": "100.00"}}}`.
OPTIONS = "sign_off"


def read_materiality(options: Mapping[str, Any]) -> dict[str, Money]:
    """What each currency's discrepancies may come to one by one, from `sign_off` of the options.

    Raises Invalid.
    """
    limits = options.get("materiality", {})
    if set(options) - {"materiality"} or not isinstance(limits, dict):
        raise Invalid(f"{OPTIONS} has one table, materiality: amounts as texts by currency.")
    found = {}
    for currency, text in limits.items():
        if not isinstance(text, str):
            raise Invalid(f"{OPTIONS}.materiality.{currency} is an amount as text.")
        found[currency] = Money.of(text, currency)
        if found[currency].amount < 0:
            raise Invalid(f"{OPTIONS}.materiality.{currency} is not negative.")
    return found


def quarantined_lines(source: Source) -> QuerySet[RejectedLine]:
    """Lines of loaded files that could not be read and wait for a person."""
    return RejectedLine.objects.select_related("file").filter(
        resolution="", file__source=source, file__loaded_at__isnull=False
    )


def obstacles_to_sign_off(account: SourceAccount, *, day: date) -> list[str]:
    """Why the account's statements up to a day cannot be signed off; empty if they can.

    A line that nobody could read may be of any account and day that its file is about. A
    discrepancy counts until somebody or evidence ended it, if it is above the source's materiality;
    not what is only pending.
    That the account does not tie out at all is for the report to say.
    """
    about = Q(file__statements__source_account=account, file__statements__first_day__lte=day)
    lines = quarantined_lines(account.source).filter(about | Q(file__statements=None))
    by_file: dict[StatementFile, list[int]] = {}
    for line in lines.distinct().order_by("file_id", "line_no"):
        by_file.setdefault(line.file, []).append(line.line_no)
    return [
        *(_quarantined(file, numbers) for file, numbers in by_file.items()),
        *_material(account, day),
    ]


def unexplained(difference: str, currency: str) -> list[str]:
    """The obstacle that an account does not tie out, if it does not."""
    is_zero = not Money.of(difference, currency)
    return [] if is_zero else [f"{difference} {currency} is not explained"]


def materiality_of(account: SourceAccount) -> Money | None:
    """Above this an unsettled discrepancy keeps a day from being signed; None: no amount does."""
    return read_materiality(account.source.options.get(OPTIONS, {})).get(account.currency)


def _material(account: SourceAccount, day: date) -> Iterator[str]:
    limit = materiality_of(account)
    if limit is None:
        return
    above = Q(amount__gt=limit.amount) | Q(amount__lt=-limit.amount)
    here = Q(line__source_account=account) | Q(line=None, source=account.source)
    unsettled = Discrepancy.objects.filter(
        above,
        here,
        currency=account.currency,
        status__in=Discrepancy.UNSETTLED,
        since__lte=day,
    ).exclude(type=Discrepancy.Type.SETTLEMENT_PENDING)
    for each in unsettled.order_by("since", "pk"):
        yield (
            f"{each.public_id} ({each.type} {each.reference}) is not settled: {each.money},"
            f" and up to {limit.text} may be open"
        )


def _quarantined(file: StatementFile, numbers: list[int]) -> str:
    named = ", ".join(map(str, numbers[:LINES_NAMED]))
    more = f" and {len(numbers) - LINES_NAMED} more" if len(numbers) > LINES_NAMED else ""
    return f"{file.public_id} ({file.name}) has lines in quarantine: {named}{more}"
