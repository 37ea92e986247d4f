"""Families of domain errors. Each refusal is its own class with a stable `code`."""

from datetime import datetime


class DomainError(Exception):
    """Something the business does not allow. `str(error)` is a sentence for people."""

    code = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(DomainError):
    """What was asked makes no sense."""

    code = "invalid"


class NotFound(DomainError):
    """There is no such thing, or not for this caller."""

    code = "not_found"


class Forbidden(DomainError):
    """The caller may not do this."""

    code = "forbidden"


class Conflict(DomainError):
    """It does not fit the present state of things."""

    code = "conflict"


class Busy(DomainError):
    """Somebody else is at it; trying again later is safe."""

    code = "busy"


class InvalidTransition(Conflict):
    code = "invalid_transition"

    def __init__(self, record: object, target: str) -> None:
        status = getattr(record, "status", "?")
        super().__init__(f"{record} is {status} and cannot become {target}.")


class UnbalancedEntry(Invalid):
    code = "unbalanced_entry"

    def __init__(self, key: str, differences: dict[str, int]) -> None:
        off = ", ".join(f"{amount} {currency}" for currency, amount in differences.items())
        super().__init__(f"Entry {key} does not balance: debits minus credits are {off}.")


class PeriodNotFound(NotFound):
    code = "period_not_found"

    def __init__(self, code: str) -> None:
        super().__init__(f"There is no accounting period {code}.")


class InvalidPeriod(Invalid):
    code = "invalid_period"


class PeriodExists(Conflict):
    code = "period_exists"

    def __init__(self, code: str, starts_at: datetime, ends_at: datetime) -> None:
        super().__init__(
            f"{code} exists already, from {starts_at.isoformat()} to before {ends_at.isoformat()}."
        )


class PeriodsNotContiguous(Conflict):
    code = "periods_not_contiguous"

    def __init__(self, code: str, first: datetime, last: datetime) -> None:
        super().__init__(
            f"{code} would leave a gap or overlap: periods are defined from {first.isoformat()} to"
            f" before {last.isoformat()}, and the next one begins there."
        )


class PeriodNotOver(Conflict):
    code = "period_not_over"

    def __init__(self, code: str, ends_at: datetime) -> None:
        super().__init__(f"{code} is not over before {ends_at.isoformat()}.")


class EarlierPeriodOpen(Conflict):
    code = "earlier_period_open"

    def __init__(self, earlier: object) -> None:
        super().__init__(f"{earlier} is open: periods are closed in order.")


class LaterPeriodClosed(Conflict):
    code = "later_period_closed"

    def __init__(self, later: object) -> None:
        super().__init__(f"{later} is closed: only the last closed period can be opened again.")


class ClosePackMissing(Conflict):
    code = "close_pack_missing"

    def __init__(self, period: object) -> None:
        super().__init__(f"{period} has no close pack: close it first, or again.")


class ReopeningNotRequested(Conflict):
    code = "reopening_not_requested"

    def __init__(self, period: object) -> None:
        super().__init__(f"Nobody asked for {period} to be opened again.")


class ApproverIsRequester(Forbidden):
    code = "approver_is_requester"

    def __init__(self, period: object) -> None:
        super().__init__(f"{period} is opened again by somebody else than who asked for it.")
