"""camt entries, rule by rule (formats.md §2). All messages here are made up."""

from datetime import date
from decimal import Decimal

import pytest

from reconciliation.importers import ParsedLine, RejectedLine, StatementHeader, StatementTrailer
from tests.reconciliation.importers.camt_messages import (
    BOOKED,
    FRAME,
    balance,
    details,
    document,
    entry,
    lines,
    records,
    rejected,
)


def test_a_statement_is_header_lines_trailer() -> None:
    opening, closing = (
        balance("OPBD", "100.00", "2026-03-19"),
        balance("CLBD", "112.34", "2026-03-20"),
    )

    found = records(document(FRAME + opening + closing + entry()))

    assert found[0] == StatementHeader(
        account="DE89370400440532013000",
        currency="EUR",
        statement_id="STM-7",
        sequence="7",
        first_day=date(2026, 3, 19),
        last_day=date(2026, 3, 20),
    )
    assert found[1] == ParsedLine(
        line_no=1,
        kind="entry",
        external_id="",
        booked_on=date(2026, 3, 19),
        value_on=None,
        currency="EUR",
        gross=Decimal("12.34"),
        fee=Decimal(0),
        net=Decimal("12.34"),
        presentment_amount=None,
        presentment_currency="",
        reference="",
        parent_reference="",
        payout_id="",
        merchant="",
        counterparty="",
        text="",
        references=(),
    )
    assert found[2] == StatementTrailer(
        opening=Decimal("100.00"),
        opening_on=date(2026, 3, 19),
        closing=Decimal("112.34"),
        closing_on=date(2026, 3, 20),
    )
    assert len(found) == 3


def test_sign_is_the_mark_and_a_reversal_does_not_turn_it() -> None:
    reversal = "<RvslInd>true</RvslInd>" + BOOKED
    found = lines(
        entry("1"), entry("2", "DBIT"), entry("3", "DBIT", reversal), entry("4", rest=reversal)
    )

    assert [line.net for line in found] == [Decimal(1), Decimal(-2), Decimal(-3), Decimal(4)]
    assert [line.is_reversal for line in found] == [False, False, True, True]
    assert [line.line_no for line in found] == [1, 2, 3, 4]


@pytest.mark.parametrize("status", ["", "<Sts>BOOK</Sts>", "<Sts><Cd>BOOK</Cd></Sts>"])
def test_booked_entries_count(status: str) -> None:
    assert len(lines(entry(rest=status + BOOKED))) == 1


@pytest.mark.parametrize(
    "status", ["<Sts>PDNG</Sts>", "<Sts><Cd>INFO</Cd></Sts>", "<Sts>FUTR</Sts>"]
)
def test_entries_that_are_not_booked_are_set_aside_and_said(status: str) -> None:
    [line] = rejected(entry(rest=status + BOOKED), entry())

    assert line.line_no == 1
    assert line.reason.startswith("not_booked: status ")
    assert "<Sts" in line.raw


@pytest.mark.parametrize(
    ("rest", "booked_on", "value_on"),
    [
        (BOOKED + "<ValDt><Dt>2026-03-21</Dt></ValDt>", date(2026, 3, 19), date(2026, 3, 21)),
        ("<BookgDt><DtTm>2026-03-19T23:30:00.000Z</DtTm></BookgDt>", date(2026, 3, 19), None),
        ("<ValDt><Dt>2026-03-18+01:00</Dt></ValDt>", date(2026, 3, 18), date(2026, 3, 18)),
        ("", date(2026, 3, 20), None),
    ],
)
def test_days_fall_back_to_each_other_then_to_the_statement(
    rest: str, booked_on: date, value_on: date | None
) -> None:
    [line] = lines(entry(rest=rest))

    assert (line.booked_on, line.value_on) == (booked_on, value_on)


def test_an_entry_without_any_day_is_rejected() -> None:
    [line] = rejected(entry(rest=""), frame="<Id>X</Id>")

    assert line.reason.startswith("bad_date")


@pytest.mark.parametrize(
    "broken",
    [
        *(
            entry(amount)
            for amount in ("", "1,23", "1.2.3", ".", "€9", "-5.00", "1E+05", "NaN", "٣")
        ),
        entry("1" * 21),
        entry(mark="C"),
        entry(mark=""),
        entry(currency="EURO"),
        entry(currency=""),
        entry(rest="<BookgDt><Dt>2026-02-30</Dt></BookgDt>"),
        entry(rest="<BookgDt><Dt>01/02/2026</Dt></BookgDt>"),
        "<Ntry/>",
    ],
)
def test_what_cannot_be_read_is_rejected_and_the_rest_is_read(broken: str) -> None:
    found = records(document(FRAME + entry("1") + broken + entry("3")))

    numbers = [(type(record), record.line_no) for record in found[1:-1]]  # type: ignore[union-attr]
    assert numbers == [(ParsedLine, 1), (RejectedLine, 2), (ParsedLine, 3)]


def test_amounts_are_exact_as_read() -> None:
    amounts = [
        str(line.net) for line in lines(entry("8.85000"), entry("200000"), entry(".5"), entry("7."))
    ]

    assert amounts == ["8.85000", "200000", "0.5", "7"]


def test_an_amount_split_by_a_comment_is_one_amount() -> None:
    assert lines(entry("12<!-- x -->.00"))[0].net == Decimal("12.00")


def test_a_foreign_entry_moves_the_account_by_its_booked_amount() -> None:
    booked = '<AmtDtls><TxAmt><Amt Ccy="EUR">9.20</Amt></TxAmt></AmtDtls>'
    [line] = lines(entry("10.00", "DBIT", BOOKED + details(booked), "USD"))

    assert (line.currency, line.gross, line.fee, line.net) == (
        "EUR",
        -Decimal("9.20"),
        Decimal(0),
        -Decimal("9.20"),
    )
    assert (line.presentment_amount, line.presentment_currency) == (-Decimal("10.00"), "USD")


def test_a_foreign_entry_without_booked_amount_stands_as_read() -> None:
    asked = '<AmtDtls><InstdAmt><Amt Ccy="EUR">9.20</Amt></InstdAmt></AmtDtls>'
    [line] = lines(entry("10.00", "DBIT", BOOKED + details(asked), "USD"))

    assert (line.currency, line.net) == ("USD", -Decimal("10.00"))
    assert (line.presentment_amount, line.presentment_currency) == (-Decimal("9.20"), "EUR")


def test_a_foreign_batch_moves_the_account_by_the_sum_of_its_details() -> None:
    def part(amount: str, mark: str, currency: str = "EUR") -> str:
        return f'<Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{mark}</CdtDbtInd>'

    batch = details(part("5.00", "DBIT"), part("4.50", "DBIT"), part("0.30", "CRDT"))
    [line] = lines(entry("10.00", "DBIT", BOOKED + batch, "USD"))
    untold = details(part("5.00", "DBIT"), part("5.00", "DBIT", "USD"))
    [as_read] = lines(entry("10.00", "DBIT", BOOKED + untold, "USD"))

    assert (line.net, line.currency) == (-Decimal("9.20"), "EUR")
    assert (line.presentment_amount, line.presentment_currency) == (-Decimal("10.00"), "USD")
    assert (as_read.net, as_read.currency) == (-Decimal("10.00"), "USD")


def test_a_batch_is_one_line_with_all_its_ids() -> None:
    batch = "<Btch><MsgId>M1</MsgId><PmtInfId>P1</PmtInfId></Btch>"
    first = (
        "<Refs><EndToEndId>E1</EndToEndId><InstrId>NOTPROVIDED</InstrId></Refs>"
        "<RltdPties><Dbtr><Nm>Ada</Nm></Dbtr></RltdPties><RmtInf><Ustrd>one</Ustrd></RmtInf>"
    )
    second = (
        "<Refs><EndToEndId>E2</EndToEndId><Prtry><Tp>00</Tp><Ref>R2</Ref></Prtry></Refs>"
        "<RltdPties><Dbtr><Nm>Bob</Nm></Dbtr></RltdPties>"
        "<RmtInf><Strd><CdtrRefInf><Ref>RF18</Ref></CdtrRefInf></Strd></RmtInf>"
    )
    head = f"<NtryRef>N1</NtryRef>{BOOKED}<AcctSvcrRef>S1</AcctSvcrRef>"
    extra = "<AddtlNtryInf>batch  of\n two</AddtlNtryInf>"
    [line] = lines(entry(rest=head + details(first, second, first, batch=batch) + extra))

    assert line.references == ("N1", "S1", "P1", "M1", "E1", "E2", "R2", "RF18")
    assert line.text == "one RF18 batch of two"
    assert (line.external_id, line.reference, line.counterparty) == ("S1", "", "")


@pytest.mark.parametrize(
    ("rest", "external_id"),
    [
        ("<NtryRef>1</NtryRef><AcctSvcrRef>S1</AcctSvcrRef>", "S1"),
        ("<NtryRef>1</NtryRef>", ""),
        ("<AcctSvcrRef>NONREF</AcctSvcrRef>", ""),
        (details("<Refs><AcctSvcrRef>D1</AcctSvcrRef></Refs>"), "D1"),
        (details("<Refs><AcctSvcrRef>D1</AcctSvcrRef></Refs>", ""), ""),
    ],
)
def test_only_an_id_that_is_the_entrys_own_identifies_it(rest: str, external_id: str) -> None:
    assert lines(entry(rest=BOOKED + rest))[0].external_id == external_id


@pytest.mark.parametrize(
    ("mark", "parties", "counterparty"),
    [
        ("CRDT", "<Dbtr><Nm>Payer</Nm></Dbtr><Cdtr><Nm>Us</Nm></Cdtr>", "Payer"),
        ("DBIT", "<Dbtr><Nm>Us</Nm></Dbtr><Cdtr><Nm>Payee</Nm></Cdtr>", "Payee"),
        ("CRDT", "<Dbtr><Pty><Nm>Payer</Nm></Pty></Dbtr>", "Payer"),
        ("CRDT", "<UltmtDbtr><Pty><Nm>Behind</Nm></Pty></UltmtDbtr>", "Behind"),
        ("CRDT", "<Dbtr><Agt><FinInstnId><Nm>Bank</Nm></FinInstnId></Agt></Dbtr>", "Bank"),
        ("CRDT", "<Cdtr><Nm>Us</Nm></Cdtr>", ""),
    ],
)
def test_counterparty_is_the_other_side(mark: str, parties: str, counterparty: str) -> None:
    rest = BOOKED + details(f"<RltdPties>{parties}</RltdPties>")

    assert lines(entry("1", mark, rest))[0].counterparty == counterparty


def test_one_end_to_end_id_is_the_reference() -> None:
    rest = BOOKED + details("<Refs><EndToEndId>po_1</EndToEndId></Refs>")

    assert lines(entry(rest=rest))[0].reference == "po_1"
