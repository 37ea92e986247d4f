"""Families of domain errors. Each refusal is its own class with a stable `code`."""


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
