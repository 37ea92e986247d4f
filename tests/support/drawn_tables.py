"""Tables of docs/api.md, docs/events.md and docs/security.md that are read from the code.

`WRITE_DOCS=1 make test ARGS=tests/payments/api/test_api_doc.py` writes them.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from payments.api.authentication import HasScope, scope_needed
from payments.event_types import EVENT_TYPES
from payments.gateways.base import FailureCode
from payments.gateways.simulator import TOKENS
from payments.models import ApiKey, MerchantMember
from payments.services.members import SCOPES_OF_ROLE
from tests.support.routes import Operation, operations

_MARKED = re.compile(r"(<!-- drawn: ([a-z ]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def drawn_into(page: str) -> str:
    """The page with every marked table drawn anew."""
    return _MARKED.sub(lambda found: f"{found[1]}\n{_drawn(found[2])}\n{found[4]}", page)


def names_in(page: str) -> set[str]:
    return {name for _, name, _, _ in _MARKED.findall(page)}


def _drawn(name: str) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in TABLES[name]())


def _headed(*names: str) -> Iterator[tuple[str, ...]]:
    yield names
    yield ("---",) * len(names)


def _failure_codes() -> Iterable[tuple[str, ...]]:
    yield from _headed("`failure_code`", "meaning")
    yield from ((f"`{code.value}`", str(code.label)) for code in FailureCode)


def _tokens() -> Iterable[tuple[str, ...]]:
    yield from _headed("`source`", "what happens")
    yield from ((f"`{token}`", meaning) for token, meaning in TOKENS.items())


def _routes() -> Iterable[tuple[str, ...]]:
    yield from _headed("method, path", "scope")
    for operation in sorted(operations(), key=lambda each: (each.route, each.method)):
        yield f"`{operation}`", _scope(operation)


def _scope(operation: Operation) -> str:
    if HasScope not in operation.view.permission_classes:
        return "open"
    scope = scope_needed(operation.view, operation.method)
    return f"`{scope}`" if scope else "any"


def _roles() -> Iterable[tuple[str, ...]]:
    roles = MerchantMember.Role.values
    yield from _headed("scope", *roles)
    for scope in ApiKey.Scope:
        yield f"`{scope.value}`", *("✓" if scope in SCOPES_OF_ROLE[role] else "" for role in roles)


def _event_types() -> Iterable[tuple[str, ...]]:
    yield from _headed("`type`", "told when", "`data`")
    for each in EVENT_TYPES.values():
        without = ", ".join(f"`{name}`" for name in sorted(each.adds))
        shown = f"`{each.data}`{' without ' if without else ''}{without}"
        yield f"`{each.name}`", each.when, shown


TABLES: dict[str, Callable[[], Iterable[tuple[str, ...]]]] = {
    "failure codes": _failure_codes,
    "simulator tokens": _tokens,
    "routes": _routes,
    "roles": _roles,
    "event types": _event_types,
}
