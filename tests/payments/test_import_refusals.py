"""Rows that are wrong are named with their line, and nothing of their file is loaded."""

import pytest

from ledger.errors import Invalid
from ledger.services.periods import close_period, define_periods
from payments.history import RowRefused
from payments.models import Payment, Refund
from tests.factories import ACTOR, eur
from tests.support.books import balances
from tests.support.histories import BACK, COLUMNS, OLD, PAID, YEN, load, nothing_is_loaded

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books", "spay")]


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (PAID.replace("100.00", "1e2"), "'1e2' is not a plain decimal number"),
        (PAID.replace("100.00", "100.001"), "more decimals than EUR"),
        (PAID.replace("100.00", "-5.00"), "-5.00 EUR is not positive"),
        (PAID.replace("100.00", "0"), "0.00 EUR is not positive"),
        (PAID.replace("100.00", ""), "'' is not a plain decimal number"),
        (PAID.replace("100.00,EUR", "100.00,eur"), "'eur' is not an ISO 4217 currency"),
        (PAID.replace("payment", "chargeback"), "type is 'chargeback'"),
        (PAID.replace("captured", "pending"), "status is 'pending'"),
        (PAID.replace("spay", "unknown"), "there is no gateway 'unknown'"),
        (PAID.replace("2026-03-02T", "2026-02-30T"), "day is out of range"),
        (PAID.replace("2026-03-04", "04.03.2026"), "Invalid isoformat"),
        (PAID.replace("M1-A", ""), "reference is empty"),
        (PAID.replace("P1", ""), "payment_id is empty"),
        (PAID.replace("1.65", "1.655"), "more decimals than EUR"),
        ("P1,M1,payment", "status is ''"),
        (BACK.replace(",M1-A,captured", ",,captured"), "a refund needs its payment's reference"),
        (BACK.replace("captured", "settled"), "settled elsewhere is not loaded"),
    ],
)
def test_bad_row_names_its_line_and_nothing_is_loaded(bad: str, problem: str) -> None:
    with pytest.raises(RowRefused) as refusal:
        load(YEN, bad, OLD)

    assert str(refusal.value).startswith("Line 3: ")
    assert problem in str(refusal.value)
    assert refusal.value.code == "row_refused"
    assert nothing_is_loaded()


def test_missing_columns_are_named() -> None:
    with pytest.raises(Invalid, match=r"The columns currency, psp are missing\."):
        load("", columns=COLUMNS.replace("psp,", "").replace(",currency,", ","))

    assert nothing_is_loaded()


def test_other_content_under_a_known_id_is_refused() -> None:
    load(PAID)
    before = balances()

    with pytest.raises(RowRefused, match="Line 2: P1 was loaded before with other content"):
        load(PAID.replace("100.00", "100.01"))

    assert balances() == before
    assert Payment.objects.get().money == eur("100.00")


@pytest.mark.parametrize("rows_per_chunk", [1, 5_000])
@pytest.mark.parametrize(
    ("twice", "line", "reference"),
    [
        ([PAID, YEN, PAID.replace("P1", "P9")], 4, "M1-A"),
        ([PAID, BACK, YEN, BACK.replace("R1", "R9")], 5, "M1-R"),
    ],
    ids=["payment", "refund"],
)
def test_reference_that_occurs_twice_is_refused_with_its_line(
    twice: list[str],
    line: int,
    reference: str,
    rows_per_chunk: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("payments.services.imports.ROWS_PER_CHUNK", rows_per_chunk)

    with pytest.raises(RowRefused) as refusal:
        load(*twice)

    assert str(refusal.value) == (
        f"Line {line}: a reference occurs twice for one merchant: {reference!r}"
    )
    assert nothing_is_loaded()


def test_reference_of_an_earlier_payment_is_refused_with_its_line() -> None:
    load(PAID)
    before = balances()

    with pytest.raises(RowRefused, match=r"Line 3: a reference occurs twice .*: 'M1-A'"):
        load(YEN, PAID.replace("P1", "P9"))

    assert (Payment.objects.count(), balances()) == (1, before)


def test_row_in_a_closed_period_is_refused_with_its_line() -> None:
    define_periods("2026-02", "2026-02", zone="UTC", actor=ACTOR)
    close_period("2026-02", actor=ACTOR, reason="done")

    with pytest.raises(RowRefused, match="Line 3: The books are closed until 2026-03-01"):
        load(PAID, YEN.replace("2026-03-02", "2026-02-02"))

    assert nothing_is_loaded()


def test_refund_of_more_than_is_left_is_refused_with_its_line() -> None:
    load(PAID)
    before = balances()

    with pytest.raises(RowRefused, match=r"Line 3: 70\.00 EUR is left to refund, not 70\.01 EUR"):
        load(BACK, BACK.replace("R1", "R9").replace("M1-R", "M1-T").replace("30.00", "70.01"))

    assert not Refund.objects.exists()
    assert Payment.objects.get().amount_refunded == 0
    assert balances() == before


@pytest.mark.parametrize(
    "bad",
    [
        BACK.replace(",M1-A,captured", ",M1-Z,captured"),
        BACK.replace("30.00", "1000.00"),
        BACK.replace("EUR", "USD"),
    ],
    ids=["no such payment", "too much", "another currency"],
)
def test_refund_that_does_not_fit_its_payment_loads_nothing(bad: str) -> None:
    with pytest.raises(RowRefused):
        load(PAID, bad)

    assert nothing_is_loaded()


@pytest.mark.parametrize(
    "bad",
    [
        PAID.replace("M1-A", "r" * 81),
        PAID.replace("M1,", "m" * 41 + ","),
        PAID.replace("P1", "p" * 300),
        PAID.replace("M1-A", "a\x00b"),
        PAID.replace("M1,", "M 1/x,"),
        PAID.replace("1.65", "-1.65"),
        '"' + "x" * 200_000 + '"' + PAID[2:],
        PAID + "," * 1_000_000,
    ],
    ids=["reference", "merchant", "id", "nul", "code", "fee", "huge field", "huge line"],
)
def test_row_the_database_cannot_hold_is_named(bad: str) -> None:
    with pytest.raises(RowRefused, match="Line 2: "):
        load(bad)

    assert nothing_is_loaded()
