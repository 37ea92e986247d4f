"""docs/api.md, docs/events.md and docs/security.md say what the code says."""

import os
import re

import pytest

from config.embedded.places import CHECKOUT
from payments.models import Dispute, Payment, Refund, Transfer
from tests.support.drawn_tables import TABLES, drawn_into, names_in

DOCS = CHECKOUT / "docs"
PAGES = (DOCS / "api.md", DOCS / "events.md", DOCS / "security.md")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_tables_are_what_the_code_says(path: os.PathLike[str]) -> None:
    with open(path) as file:
        page = file.read()

    if os.environ.get("WRITE_DOCS"):
        page = drawn_into(page)
        with open(path, "w") as file:
            file.write(page)

    assert page == drawn_into(page), "WRITE_DOCS=1 writes them anew."


def test_every_table_is_on_a_page() -> None:
    assert {name for path in PAGES for name in names_in(path.read_text())} == set(TABLES)


def test_every_state_is_explained() -> None:
    page = PAGES[0].read_text()
    states = {
        *Payment.Status.values,
        *Refund.Status.values,
        *Dispute.Status.values,
        *Transfer.Status.values,
    }

    assert {state for state in states if f"`{state}`" not in page} == set()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_named_tests_exist(path: os.PathLike[str]) -> None:
    with open(path) as file:
        named = set(re.findall(r"`(tests/[\w/]+\.py)`", file.read()))

    assert named
    assert {name for name in named if not (CHECKOUT / name).exists()} == set()
