"""Stripe payout reconciliation reports, rule by rule (formats.md §6). All rows are made up."""

import io
from datetime import date
from decimal import Decimal

import pytest

from reconciliation.importers import (
    FORMATS,
    ImportRefused,
    ParsedLine,
    Record,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
    recognise,
)

CODE = "stripe.payout_reconciliation"
CHARGE = {
    "balance_transaction_id": "txn_1",
    "created_utc": "2026-03-17 00:04:53",
    "available_on_utc": "2026-03-19 00:00:00",
    "currency": "eur",
    "gross": "24.08",
    "fee": "0.61",
    "net": "23.47",
    "reporting_category": "charge",
    "source_id": "ch_1",
    "description": "Payment",
    "customer_facing_amount": "28.00",
    "customer_facing_currency": "usd",
    "automatic_payout_id": "po_1",
    "charge_id": "ch_1",
    "payment_intent_id": "pi_1",
    "payment_metadata[reference]": "M01-ABC",
    "refund_metadata[reference]": "",
    "connected_account": "M01",
}


def report(*rows: dict[str, str]) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([row.get(name, "") for name in names] for row in rows)]
    return "".join(",".join(line) + "\n" for line in lines).encode()


def records(data: bytes) -> list[Record]:
    return list(FORMATS[CODE](io.BytesIO(data)))


def line(**changes: str) -> ParsedLine:
    _, found, _ = records(report(CHARGE | changes))
    assert isinstance(found, ParsedLine), found
    return found


def refusal(data: bytes) -> ImportRefused:
    with pytest.raises(ImportRefused) as refused:
        records(data)
    return refused.value


def test_a_charge_is_read_whole() -> None:
    assert records(report(CHARGE)) == [
        StatementHeader("", "", "", "", None, None),
        ParsedLine(
            line_no=2,
            kind="charge",
            external_id="txn_1",
            booked_on=date(2026, 3, 17),
            value_on=date(2026, 3, 19),
            currency="EUR",
            gross=Decimal("24.08"),
            fee=Decimal("0.61"),
            net=Decimal("23.47"),
            presentment_amount=Decimal("28.00"),
            presentment_currency="USD",
            reference="M01-ABC",
            parent_reference="",
            payout_id="po_1",
            merchant="M01",
            counterparty="",
            text="Payment",
            references=("ch_1", "pi_1"),
        ),
        StatementTrailer(),
    ]


def test_a_refund_has_its_own_reference_and_its_payments() -> None:
    found = line(
        **{"reporting_category": "refund", "refund_metadata[reference]": "RM01-X"},
        **{"gross": "-9.99", "fee": "0.00", "net": "-9.99"},
    )

    assert (found.kind, found.reference, found.parent_reference) == ("refund", "RM01-X", "M01-ABC")
    assert found.gross == -Decimal("9.99")


def test_a_dispute_carries_its_fee_and_its_payments_reference() -> None:
    found = line(reporting_category="dispute", gross="-30", fee="15.00", net="-45.00")

    assert (found.kind, found.reference, found.parent_reference) == ("dispute", *["M01-ABC"] * 2)
    assert (found.gross, found.fee, found.net) == (Decimal(-30), Decimal(15), Decimal(-45))


@pytest.mark.parametrize(
    ("category", "kind", "is_reversal"),
    [
        ("refund_failure", "refund", True),
        ("dispute_reversal", "dispute_reversal", True),
        ("payout", "payout", False),
        ("payout_reversal", "adjustment", True),
        ("fee", "fee", False),
        ("network_cost", "fee", False),
        ("risk_reserved_funds", "adjustment", False),
    ],
)
def test_categories(category: str, kind: str, is_reversal: bool) -> None:
    found = line(reporting_category=category)

    assert (found.kind, found.is_reversal) == (kind, is_reversal)


def test_a_manual_payout_is_known_by_its_source() -> None:
    found = line(reporting_category="payout", source_id="po_9", automatic_payout_id="")

    assert found.payout_id == "po_9"


def test_an_empty_customer_facing_amount_is_none() -> None:
    found = line(customer_facing_amount="", customer_facing_currency="")

    assert (found.presentment_amount, found.presentment_currency) == (None, "")


def test_columns_come_in_any_order_with_others_between() -> None:
    shuffled = {"extra": "x"} | dict(reversed(CHARGE.items()))

    assert records(report(shuffled)) == records(report(CHARGE))


def test_optional_columns_may_be_absent_and_local_days_do() -> None:
    required = ("balance_transaction_id", "currency", "gross", "fee", "net", "reporting_category")
    row = {name: CHARGE[name] for name in required}
    row |= {"created": "2026-03-17", "available_on": "2026-03-19T00:00:00Z"}
    _, found, _ = records(report(row | {"payment_metadata[order]": "A-1"}))

    assert isinstance(found, ParsedLine)
    assert (found.booked_on, found.value_on) == (date(2026, 3, 17), date(2026, 3, 19))
    assert (found.reference, found.payout_id, found.references) == ("A-1", "", ())


@pytest.mark.parametrize("name", ["balance_transaction_id", "currency", "gross", "fee", "net"])
def test_a_missing_column_is_named(name: str) -> None:
    row = {key: value for key, value in CHARGE.items() if key != name}
    refused = refusal(report(row))

    assert refused.code == "missing_column"
    assert repr(name) in refused.message


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("gross", "", "bad_amount"),
        ("gross", "1 234.56", "bad_amount"),
        ("net", "1E+05", "bad_amount"),
        ("fee", "(0.61)", "bad_amount"),
        ("customer_facing_amount", "x", "bad_amount"),
        ("net", "23.48", "bad_sum"),
        ("created_utc", "17/03/2026", "bad_date"),
        ("created_utc", "2026-02-30 00:00:00", "bad_date"),
        ("available_on_utc", "", "bad_date"),
        ("currency", "euro", "bad_currency"),
        ("customer_facing_currency", "", "bad_currency"),
        ("balance_transaction_id", "", "bad_row"),
        ("reporting_category", "", "bad_row"),
    ],
)
def test_a_bad_cell_rejects_its_line_alone(name: str, value: str, code: str) -> None:
    bad = CHARGE | {name: value}
    _, before, rejected, after, _ = records(report(CHARGE, bad, CHARGE))

    assert isinstance(before, ParsedLine)
    assert isinstance(rejected, RejectedLine)
    assert isinstance(after, ParsedLine)
    assert (rejected.line_no, after.line_no) == (3, 4)
    assert rejected.reason.startswith(f"{code}: ")
    assert rejected.raw == ",".join(bad.values())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(encoding: str, newline: str) -> None:
    text = report(CHARGE | {"description": '"Müller, ""Köln"""'}, CHARGE).decode()
    data = text.replace("\n", newline).encode(encoding)
    _, first, second, _ = records(data)

    assert recognise(io.BytesIO(data)) == CODE
    assert isinstance(first, ParsedLine)
    assert isinstance(second, ParsedLine)
    assert (first.text, first.line_no, second.line_no) == ('Müller, "Köln"', 2, 3)


def test_a_quoted_line_break_keeps_the_numbers_of_the_lines() -> None:
    _, first, second, _ = records(report(CHARGE | {"description": '"a\nb"'}, CHARGE))

    assert isinstance(first, ParsedLine)
    assert isinstance(second, ParsedLine)
    assert (first.text, first.line_no, second.line_no) == ("a\nb", 2, 4)


def test_short_and_long_rows_are_rejected_and_blank_ones_are_nothing() -> None:
    data = report(CHARGE)
    row = data.splitlines()[1]
    data += b"\n" + b"," * 17 + b"\n" + b"a,b\n" + row + b",x\n" + row + b",,\n"
    _, _, short, long, padded, _ = records(data)

    assert isinstance(short, RejectedLine)
    assert isinstance(long, RejectedLine)
    assert isinstance(padded, ParsedLine)
    assert [short.line_no, long.line_no, padded.line_no] == [5, 6, 7]


def test_an_empty_report_has_no_lines_and_an_empty_file_is_none() -> None:
    assert len(records(report(CHARGE).splitlines()[0])) == 2
    assert refusal(b"").code == "missing_column"
