"""docs/errors.md lists every code there is, and no other."""

import os

from config.embedded.places import CHECKOUT
from config.problems import status_of
from tests.support.error_doc import FAMILIES, codes, drawn_into, refusals

PAGE = CHECKOUT / "docs" / "errors.md"


def test_page_is_what_the_classes_say() -> None:
    page = PAGE.read_text()

    if os.environ.get("WRITE_DOCS"):
        PAGE.write_text(drawn_into(page))
        page = PAGE.read_text()

    assert page == drawn_into(page), "WRITE_DOCS=1 writes it anew."


def test_codes_are_stable_names() -> None:
    assert all(code.isascii() and code.islower() and code.isidentifier() for code in codes())
    assert len(codes()) > 60


def test_one_code_has_one_http_number() -> None:
    numbers: dict[str, set[int]] = {}
    for refusal in refusals():
        if refusal.code not in FAMILIES:
            numbers.setdefault(refusal.code, set()).add(status_of(refusal))

    assert {code: several for code, several in numbers.items() if len(several) > 1} == {}
