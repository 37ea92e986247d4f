"""docs/bookkeeping.md says what the bookkeeping functions do, and leaves none out."""

import difflib
import inspect
import os
import tomllib
from collections.abc import Callable

from config.configuration import PLATFORM_CHART
from config.embedded.places import CHECKOUT
from ledger.entries import Entry
from payments import bookkeeping as payments
from reconciliation import bookkeeping as reconciliation
from settlements import bookkeeping as settlements
from tests.support.bookkeeping_doc import drawn_into
from tests.support.bookkeeping_examples import EXAMPLES
from tests.support.bookkeeping_subjects import MERCHANT

MODULES = (payments, settlements, reconciliation)
PAGE = CHECKOUT / "docs" / "bookkeeping.md"


def test_page_shows_what_the_functions_do() -> None:
    written = PAGE.read_text()
    drawn = drawn_into(written)
    if "WRITE_DOCS" in os.environ:
        PAGE.write_text(drawn)
        return

    difference = "\n".join(
        difflib.unified_diff(written.splitlines(), drawn.splitlines(), "page", "functions")
    )

    hint = "WRITE_DOCS=1 make test ARGS=tests/architecture/test_bookkeeping_doc.py writes the page"
    assert not difference, f"{difference}\n{hint}"


def test_page_shows_every_business_event() -> None:
    shown = {example.function for example in EXAMPLES}

    assert {function.__name__ for function in functions() - shown} == set()
    assert len(functions()) == len(shown) >= 13


def test_examples_have_keys_and_kinds_of_their_own() -> None:
    entries = {example.function: example.entry for example in EXAMPLES}.values()

    assert len({entry.idempotency_key for entry in entries}) == len(entries)
    assert len({entry.kind for entry in entries}) == len(entries)


def test_every_account_we_post_to_is_in_the_platform_chart() -> None:
    """A merchant's wallet has the code it chose, so it is in nobody's chart."""
    groups = tomllib.loads(PLATFORM_CHART.read_text())["account_groups"]
    types = {group["prefix"]: group["type"] for group in groups}
    accounts = {line.account for example in EXAMPLES for line in example.entry.lines}

    found = {
        account.code: [kind for prefix, kind in types.items() if account.code.startswith(prefix)]
        for account in accounts
        if not (account.owner == MERCHANT.public_id and account.floor == 0)
    }

    assert found == {account.code: [account.type] for account in accounts if account.code in found}
    assert len(found) > 10


def test_page_has_no_group_nobody_posts_to() -> None:
    groups = tomllib.loads(PLATFORM_CHART.read_text())["account_groups"]
    codes = {line.account.code for example in EXAMPLES for line in example.entry.lines}

    unused = [
        group["prefix"]
        for group in groups
        if not any(code.startswith(group["prefix"]) for code in codes)
    ]

    assert unused == []


def functions() -> set[Callable[..., Entry]]:
    """Every business event the platform can book."""
    return {
        function
        for module in MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if name.startswith("entry_for_") and function.__module__ == module.__name__
    }
