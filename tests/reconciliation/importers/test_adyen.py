"""Adyen settlement detail reports, rule by rule (formats.md §6). All rows are made up."""

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

CODE = "adyen.settlement_detail"
SETTLED = {
    "Company Account": "Demo",
    "Merchant Account": "Demo_M02",
    "Psp Reference": "PSP1",
    "Merchant Reference": "M02-ABC",
    "Creation Date": "2026-03-17 01:00:12",
    "TimeZone": "CET",
    "Type": "Settled",
    "Modification Reference": "MOD1",
    "Gross Currency": "GBP",
    "Gross Debit (GC)": "",
    "Gross Credit (GC)": "10.00",
    "Exchange Rate": "1.2",
    "Net Currency": "EUR",
    "Net Debit (NC)": "",
    "Net Credit (NC)": "11.80",
    "Commission (NC)": "0.10",
    "Markup (NC)": "0.07",
    "Scheme Fees (NC)": "0.01",
    "Interchange (NC)": "0.02",
    "Modification Merchant Reference": "",
    "Batch Number": "301",
    "Booking Date": "2026-03-18 02:50:00",
}
AMOUNTS = tuple(name for name in SETTLED if name.endswith(("(GC)", "(NC)")))
PAYOUT = SETTLED | {
    **dict.fromkeys((*AMOUNTS, "Psp Reference", "Merchant Reference", "Gross Currency"), ""),
    "Type": "MerchantPayout",
    "Modification Reference": "TX77XT batch 301; Demo_M02",
    "Net Debit (NC)": "11.80",
}


def report(*rows: dict[str, str]) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([row.get(name, "") for name in names] for row in rows)]
    return "".join(",".join(line) + "\n" for line in lines).encode()


def records(data: bytes) -> list[Record]:
    return list(FORMATS[CODE](io.BytesIO(data)))


def lines(*rows: dict[str, str]) -> list[ParsedLine]:
    _, *found, _ = records(report(*rows))
    assert all(isinstance(record, ParsedLine) for record in found), found
    return [record for record in found if isinstance(record, ParsedLine)]


def test_a_settled_payment_is_read_whole() -> None:
    header, settled, payout, trailer = records(report(SETTLED, PAYOUT))

    assert header == StatementHeader("", "", "", "", None, None)
    assert settled == ParsedLine(
        line_no=2,
        kind="charge",
        external_id="MOD1",
        booked_on=date(2026, 3, 18),
        value_on=date(2026, 3, 18),
        currency="EUR",
        gross=Decimal("12.00"),
        fee=Decimal("0.20"),
        net=Decimal("11.80"),
        presentment_amount=Decimal("10.00"),
        presentment_currency="GBP",
        reference="M02-ABC",
        parent_reference="",
        payout_id="TX77XT",
        merchant="Demo_M02",
        counterparty="",
        text="",
        references=("PSP1", "301"),
    )
    assert isinstance(payout, ParsedLine)
    assert (payout.kind, payout.payout_id, payout.reference) == ("payout", "TX77XT", "")
    assert payout.external_id == payout.text == "TX77XT batch 301; Demo_M02"
    assert (payout.gross, payout.fee, payout.net) == (
        -Decimal("11.80"),
        Decimal(0),
        -Decimal("11.80"),
    )
    assert payout.presentment_amount is None
    assert trailer == StatementTrailer()


def test_a_refund_has_its_own_reference_and_its_fee_adds_to_the_debit() -> None:
    debit = {"Gross Credit (GC)": "", "Gross Debit (GC)": "33.00", "Net Credit (NC)": ""}
    refund = SETTLED | debit | {"Type": "Refunded", "Net Debit (NC)": "40.20"}
    own = refund | {"Modification Merchant Reference": "RM02-X"}
    without = refund | {"Modification Merchant Reference": "<auto>"}
    found, other = lines(own, without)

    assert (found.kind, found.reference, found.parent_reference) == ("refund", "RM02-X", "M02-ABC")
    assert (found.gross, found.fee, found.net) == (Decimal(-40), Decimal("0.20"), -Decimal("40.20"))
    assert found.presentment_amount == Decimal(-33)
    assert (other.reference, other.parent_reference) == ("", "M02-ABC")


@pytest.mark.parametrize(
    ("row_type", "kind", "is_reversal"),
    [
        ("Chargeback", "dispute", False),
        ("SecondChargeback", "dispute", False),
        ("ChargebackReversed", "dispute_reversal", True),
        ("RefundedReversed", "refund", True),
        ("Fee", "fee", False),
        ("InvoiceDeduction", "fee", False),
        ("Balancetransfer", "adjustment", False),
        ("DepositCorrection", "adjustment", False),
        ("SomethingNew", "adjustment", False),
    ],
)
def test_types(row_type: str, kind: str, is_reversal: bool) -> None:
    [found] = lines(SETTLED | {"Type": row_type})

    assert (found.kind, found.is_reversal) == (kind, is_reversal)


def test_a_dispute_refers_to_its_payment() -> None:
    [found] = lines(SETTLED | {"Type": "Chargeback"})

    assert (found.reference, found.parent_reference) == ("M02-ABC", "M02-ABC")


def test_every_line_of_a_batch_is_paid_by_the_payout_of_its_account_and_currency() -> None:
    in_dollars = {"Net Currency": "USD"}
    other_payout = PAYOUT | in_dollars | {"Modification Reference": "TX88XT batch 301"}
    rows = [
        SETTLED,
        SETTLED | in_dollars,
        SETTLED | {"Merchant Account": "Demo_M04"},
        SETTLED | {"Batch Number": "302"},
    ]
    found = lines(*rows, PAYOUT, other_payout)

    assert [line.payout_id for line in found] == ["TX77XT", "TX88XT", "", "", "TX77XT", "TX88XT"]


def test_a_payout_row_repeated_is_one_payout_and_two_payouts_are_no_ones() -> None:
    second = PAYOUT | {"Modification Reference": "TX99XT batch 301"}

    assert lines(SETTLED, PAYOUT, PAYOUT)[0].payout_id == "TX77XT"
    assert lines(SETTLED, PAYOUT, second)[0].payout_id == ""


def test_a_row_of_the_batch_has_no_id_of_its_own() -> None:
    row = PAYOUT | {"Type": "Balancetransfer", "Modification Reference": "Balancetransfer"}
    [found] = lines(row)

    assert (found.external_id, found.text) == ("", "Balancetransfer")


def test_without_booking_date_the_creation_date_books() -> None:
    row = {name: value for name, value in SETTLED.items() if name != "Booking Date"}
    [found] = lines(row)

    assert (found.booked_on, found.value_on) == (date(2026, 3, 17), None)


def test_a_payment_whose_fees_exceed_it_is_a_net_debit() -> None:
    changes = {"Net Credit (NC)": "", "Net Debit (NC)": "0.05", "Gross Credit (GC)": "0.15"}
    [found] = lines(SETTLED | changes)

    assert (found.gross, found.fee, found.net) == (
        Decimal("0.15"),
        Decimal("0.20"),
        -Decimal("0.05"),
    )


def test_columns_come_in_any_order_and_case() -> None:
    shuffled = {name.upper(): value for name, value in reversed(SETTLED.items())}

    assert recognise(io.BytesIO(report(shuffled))) == CODE
    assert lines(shuffled) == lines(SETTLED)


@pytest.mark.parametrize("name", ["Type", "Net Currency", "Interchange (NC)", "Batch Number"])
def test_a_missing_column_is_named(name: str) -> None:
    row = {key: value for key, value in SETTLED.items() if key != name}
    with pytest.raises(ImportRefused) as refused:
        records(report(row))

    assert refused.value.code == "missing_column"
    assert repr(name) in refused.value.message


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Net Credit (NC)": "-11.80"}, "bad_amount"),
        ({"Net Credit (NC)": ""}, "bad_amount"),
        ({"Gross Credit (GC)": "1e1"}, "bad_amount"),
        ({"Markup (NC)": "0;07"}, "bad_amount"),
        ({"Net Currency": ""}, "bad_currency"),
        ({"Gross Currency": ""}, "bad_currency"),
        ({"Booking Date": "18.03.2026"}, "bad_date"),
        ({"Creation Date": ""}, "bad_date"),
        ({"Type": ""}, "bad_row"),
    ],
)
def test_a_bad_cell_rejects_its_line_alone(changes: dict[str, str], code: str) -> None:
    _, rejected, after, _ = records(report(SETTLED | changes, SETTLED))

    assert isinstance(rejected, RejectedLine)
    assert isinstance(after, ParsedLine)
    assert (rejected.line_no, after.line_no) == (2, 3)
    assert rejected.reason.startswith(f"{code}: ")
