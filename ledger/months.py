"""Calendar months as a time zone has them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ledger.errors import Invalid

MONTHS_MAX = 120

_MONTH = re.compile(r"([12][0-9]{3})-(0[1-9]|1[0-2])", re.ASCII)


class InvalidMonth(Invalid):
    code = "invalid_month"


class UnknownZone(Invalid):
    code = "unknown_zone"

    def __init__(self, zone: str) -> None:
        super().__init__(f"{zone!r} is not an IANA time zone.")


def months_between(first: str, last: str) -> Iterator[tuple[str, str]]:
    """Each month from `first` to `last`, with the one after it. Raises InvalidMonth."""
    begin, end = _number(first), _number(last)
    if not 0 <= end - begin < MONTHS_MAX:
        raise InvalidMonth(f"{first} to {last} is not a stretch of 1 to {MONTHS_MAX} months.")
    return ((_name(number), _name(number + 1)) for number in range(begin, end + 1))


def start_of(month: str, zone: str) -> datetime:
    """The first moment of a month in an IANA zone, in UTC. Raises InvalidMonth and UnknownZone."""
    year, month_of_year = divmod(_number(month), 12)
    return datetime(year, month_of_year + 1, 1, tzinfo=_zone(zone)).astimezone(UTC)


def _number(month: str) -> int:
    found = _MONTH.fullmatch(month)
    if not found:
        raise InvalidMonth(f"{month[:20]!r} is not a month such as 2026-10.")
    return int(found[1]) * 12 + int(found[2]) - 1


def _name(number: int) -> str:
    year, month = divmod(number, 12)
    return f"{year:04}-{month + 1:02}"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownZone(name) from None
