"""How and when merchants are settled."""

from dataclasses import asdict, dataclass, field
from datetime import date, time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from ledger.actors import Actor
from ledger.money import AMOUNT_MAX, exponent_of
from ledger.services import audit
from payments.locks import lock_merchant
from payments.models import Merchant
from settlements.calendar import holidays_of
from settlements.errors import ScheduleInUse, ScheduleInvalid
from settlements.models import SettlementSchedule

DELAY_DAYS_MAX = 60
RESERVE_DAYS_MAX = 730

Interval = SettlementSchedule.Interval


@dataclass(frozen=True, slots=True)
class ScheduleTerms:
    """The fields of a SettlementSchedule, as it is without terms. `zone` "": the merchant's."""

    zone: str = ""
    cut_off: time = time(0)
    interval: str = Interval.DAILY
    weekdays: list[int] = field(default_factory=list)
    month_days: list[int] = field(default_factory=list)
    holidays: str = ""
    delay_days: int = 0
    minimum_payouts: dict[str, int] = field(default_factory=dict)
    reserve_basis_points: int = 0
    reserve_days: int = 0


@transaction.atomic
def set_schedule(
    merchant: Merchant, terms: ScheduleTerms, *, valid_from: date, actor: Actor
) -> SettlementSchedule:
    """The merchant is settled by these terms from a business day on. Harmless to repeat.

    Raises ScheduleInUse for other terms of a day that has some, ScheduleInvalid, UnknownHolidays
    and UnknownCurrency for terms that make no sense.
    """
    values: dict[str, Any] = asdict(terms)
    values["zone"] = terms.zone or merchant.time_zone
    values["weekdays"] = sorted(set(terms.weekdays))
    values["month_days"] = sorted(set(terms.month_days))
    _check_calendar(values)
    _check_money(values)
    lock_merchant(merchant.pk)
    known = SettlementSchedule.objects.filter(merchant=merchant, valid_from=valid_from).first()
    if known is not None:
        if any(getattr(known, name) != value for name, value in values.items()):
            raise ScheduleInUse(known)
        return known
    schedule = SettlementSchedule.objects.create(
        merchant=merchant, valid_from=valid_from, created_by=str(actor), **values
    )
    audit.record(
        "settlement_schedule.set",
        merchant.public_id,
        actor=actor,
        after={"valid_from": str(valid_from), **values, "cut_off": str(terms.cut_off)},
    )
    return schedule


def _check_calendar(values: dict[str, Any]) -> None:
    try:
        ZoneInfo(values["zone"])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ScheduleInvalid(f"{values['zone'][:60]!r} is no IANA time zone.") from None
    if values["holidays"]:
        holidays_of(values["holidays"])
    if values["cut_off"].tzinfo is not None:
        raise ScheduleInvalid("The cut-off is a time of the zone's clocks, without an offset.")
    interval, weekdays, month_days = (
        values[name] for name in ("interval", "weekdays", "month_days")
    )
    if interval not in Interval.values:
        raise ScheduleInvalid(f"interval {interval!r} is none of {', '.join(Interval.values)}.")
    if bool(weekdays) != (interval == Interval.WEEKLY):
        raise ScheduleInvalid("A weekly schedule, and no other, needs weekdays.")
    if bool(month_days) != (interval == Interval.MONTHLY):
        raise ScheduleInvalid("A monthly schedule, and no other, needs days of the month.")
    if not set(weekdays) <= set(range(1, 8)) or not set(month_days) <= set(range(1, 32)):
        raise ScheduleInvalid("Weekdays are 1 (Monday) to 7, days of the month 1 to 31.")
    if not 0 <= values["delay_days"] <= DELAY_DAYS_MAX:
        raise ScheduleInvalid(f"The delay is 0 to {DELAY_DAYS_MAX} business days.")


def _check_money(values: dict[str, Any]) -> None:
    for currency, amount in values["minimum_payouts"].items():
        exponent_of(currency)
        if type(amount) is not int or not 0 <= amount <= AMOUNT_MAX:
            raise ScheduleInvalid(f"The minimum payout in {currency} is no amount: {amount!r}.")
    points, days = values["reserve_basis_points"], values["reserve_days"]
    if (points == 0) != (days == 0):
        raise ScheduleInvalid("A reserve needs basis points and the days it is kept back for.")
    if not 0 <= points <= 10_000 or not 0 <= days <= RESERVE_DAYS_MAX:
        raise ScheduleInvalid(
            f"A reserve is at most 10000 basis points and {RESERVE_DAYS_MAX} days."
        )
