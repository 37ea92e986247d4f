"""Two clocks: when things took effect in the world, and when they were posted here."""

from datetime import datetime, timedelta


def just_after(moment: datetime | None) -> datetime | None:
    """The bound that lets everything up to `moment` pass; None bounds nothing.

    Raises ValueError for a moment without a time zone.
    """
    if moment is None:
        return None
    aware(moment)
    try:
        return moment + timedelta(microseconds=1)
    except OverflowError:
        return None  # nothing comes after the end of time


def aware(moment: datetime | None) -> datetime | None:
    """The moment as it is. Raises ValueError if it has no time zone."""
    if moment is not None and moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone.")
    return moment
