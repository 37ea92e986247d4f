"""What an entry of an MT940 says, in the dialects of banks (formats.md §1). All made up."""

import pytest

from tests.reconciliation.importers.mt940_messages import line


def test_german_subfields_are_joined_before_their_keys_are_searched() -> None:
    found = line(
        ":86:166?00CREDIT TRANSFER?109310?20EREF+po-7f44f3127ec26fda8dc?212 MREF+M1 KRE",
        "F+SEPA-1 CRED+DE98ZZ S?22VWZ+PAYOUT po-7f44f3127ec26?23fda8dc2 M01?3037040044",
        "?31DE89370400440532013000?32SPAY PAYMENTS EUROPE",
        " LTD?34000?70on behalf",
    )

    assert found.reference == "po-7f44f3127ec26fda8dc2"
    assert found.references == ("po-7f44f3127ec26fda8dc2", "M1", "SEPA-1")
    assert found.text == (
        "CRED+DE98ZZ PAYOUT po-7f44f3127ec26fda8dc2 M01 CREDIT TRANSFER on behalf"
    )
    assert found.counterparty == "SPAY PAYMENTS EUROPE LTD"


@pytest.mark.parametrize("separator", ["?", ">", "^", "~", "<"])
def test_subfields_have_the_separator_that_the_bank_likes(separator: str) -> None:
    text = ":86:020?00FEE?20what for?32Name?33 of it".replace("?", separator)

    assert (line(text).text, line(text).counterparty) == ("what for FEE", "Name of it")


def test_remittance_goes_on_in_subfields_60_to_63() -> None:
    assert line(":86:105?20EREF+123/123/12345-----L110?600000012345").reference == (
        "123/123/12345-----L1100000012345"
    )


def test_an_id_without_a_key_behind_it_ends_with_its_subfield() -> None:
    found = line(":86:166?20EREF+ORDER 4711?21a long text that belongs to?22no key at all")

    assert (found.reference, found.text) == (
        "ORDER 4711",
        "a long text that belongs tono key at all",
    )


@pytest.mark.parametrize("said", ["NOTPROVIDED", "NONREF", ""])
def test_a_placeholder_is_no_id(said: str) -> None:
    found = line(f":86:166?20EREF+{said}?21SVWZ+rent")

    assert (found.reference, found.references, found.text) == ("", (), "rent")


def test_dutch_keys_may_be_broken_by_the_line() -> None:
    found = line(
        ":86:/EREF/20120123456789//MARF/MND",
        "-",
        "EV01//CNTP/NL32INGB0000012345/INGBNL2A/J.Janssen/TOWN//RTRN/MS03//RE",
        "MI/USTD//Invoice 123/",
    )

    assert (found.reference, found.counterparty) == ("20120123456789", "J.Janssen")
    assert found.references == ("20120123456789", "MND-EV01")
    assert found.text == "RTRN MS03 Invoice 123"


def test_dutch_names_and_structured_remittance() -> None:
    found = line(
        ":86:/TRTP/IDEAL/BENM//NAME/R. SMITH/REMI/STRD/CUR/9001123412341234/ISDT/2026-03-19"
    )

    assert found.counterparty == "R. SMITH"
    assert found.references == ("9001123412341234",)
    assert found.text == "TRTP IDEAL 9001123412341234 ISDT 2026-03-19"


def test_free_text_goes_on_where_its_line_is_full() -> None:
    full = ":86:" + "x" * 55 + " INVOI"
    found = line(full, "CE 4711", "12:30 h")

    assert found.text == "x" * 55 + " INVOICE 4711 12:30 h"


def test_what_looks_like_a_tag_or_an_end_is_text() -> None:
    found = line(
        ":86:meeting", ":12:30 h, :61:", "-", ":NS:x", "- and more", "", "-}x".lstrip("-}")
    )

    assert found.text == "meeting :12:30 h, :61: - :NS:x - and more x"
