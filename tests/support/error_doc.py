"""The table of docs/errors.md: every code an answer can have, read from the classes.

`WRITE_DOCS=1 make test ARGS=tests/payments/api/test_errors_doc.py` writes it.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Iterator

import ledger
import payments
import reconciliation
import settlements
from config.problems import CODES, status_of
from ledger.errors import DomainError

FLOORS = {"ledger", "payments", "settlements", "reconciliation"}
START, END = "<!-- read from the classes: start -->", "<!-- read from the classes: end -->"
# Families; every refusal is a class of its own.
FAMILIES = {"error", "invalid", "not_found", "forbidden", "conflict", "busy"}


def drawn_into(page: str) -> str:
    """The page with everything between its two marks drawn anew."""
    before, rest = page.split(START)
    _, after = rest.split(END)
    return "\n".join([before + START, "", *_table(), "", END + after])


def codes() -> dict[str, tuple[int, str]]:
    """Every code with its HTTP number and what it means."""
    known = {}
    for refusal in refusals():
        if refusal.code not in FAMILIES:
            known.setdefault(refusal.code, (status_of(refusal), _in_words(refusal)))
    for code, words in CODES.items():
        status, _, meaning = words.partition(": ")
        known[code] = (int(status), meaning)
    return known


def refusals() -> list[type[DomainError]]:
    """Every class of DomainError there is, in the order of its name."""
    for package in (ledger, payments, settlements, reconciliation):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in module.name and ".management" not in module.name:
                importlib.import_module(module.name)
    return sorted(
        set(_below(DomainError)), key=lambda refusal: (refusal.__name__, refusal.__module__)
    )


def _below(family: type[DomainError]) -> Iterator[type[DomainError]]:
    for refusal in family.__subclasses__():
        if refusal.__module__.partition(".")[0] in FLOORS:
            yield refusal
            yield from _below(refusal)


def _in_words(refusal: type[DomainError]) -> str:
    """What it says, with … for what depends; or its name, if it is told by whoever raises it."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(refusal)))
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="__init__"), args=[ast.Constant() as said]):
                return str(said.value)
            case ast.Call(func=ast.Attribute(attr="__init__"), args=[ast.JoinedStr() as said]):
                return "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "…"
                    for part in said.values
                )
    own = refusal.__dict__.get("__doc__")
    if own and not own[:3].isdigit():
        return " ".join(inspect.cleandoc(own).split())
    words = re.sub("([A-Z])", lambda found: f" {found[1].lower()}", refusal.__name__)
    return f"{words.strip().capitalize()}."


def _table() -> Iterator[str]:
    yield from ("| status | code | meaning |", "|---|---|---|")
    rows = sorted((status, code, meaning) for code, (status, meaning) in codes().items())
    for status, code, meaning in rows:
        yield f"| {status} | `{code}` | {meaning.replace('|', '/')} |"
