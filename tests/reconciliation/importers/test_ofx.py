"""OFX 1 and 2, rule by rule (formats.md §4). All statements are made up."""

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
)
from tests.reconciliation.importers.processor_reports import OFX_SGML

ENTRY = (
    "<STMTTRN><TRNTYPE>DEBIT</TRNTYPE><DTPOSTED>20260301</DTPOSTED><TRNAMT>{amount}</TRNAMT>"
    "<FITID>F1</FITID>{rest}</STMTTRN>"
)


def entry(amount: str = "-1.00", rest: str = "") -> str:
    return ENTRY.format(amount=amount, rest=rest)


def statement(*entries: str, currency: str = "EUR", rest: str = "") -> str:
    return (
        f"<STMTRS><CURDEF>{currency}</CURDEF><BANKACCTFROM><ACCTID>1</ACCTID></BANKACCTFROM>"
        f"<BANKTRANLIST>{''.join(entries)}</BANKTRANLIST>{rest}</STMTRS>"
    )


def ofx(*statements: str) -> bytes:
    body = "".join(f"<STMTTRNRS>{each}</STMTTRNRS>" for each in statements)
    return f"<OFX><BANKMSGSRSV1>{body}</BANKMSGSRSV1></OFX>".encode()


def records(data: bytes) -> list[Record]:
    return list(FORMATS["ofx"](io.BytesIO(data), {}))


def only(data: bytes) -> ParsedLine | RejectedLine:
    [found] = [each for each in records(data) if isinstance(each, ParsedLine | RejectedLine)]
    return found


def line(amount: str = "-1.00", rest: str = "", currency: str = "EUR") -> ParsedLine:
    found = only(ofx(statement(entry(amount, rest), currency=currency)))
    assert isinstance(found, ParsedLine), found
    return found


def reason(data: bytes) -> str:
    found = only(data)
    assert isinstance(found, RejectedLine), found
    return found.reason


def refusal(data: bytes) -> str:
    with pytest.raises(ImportRefused) as refused:
        records(data)
    return refused.value.code


def test_a_statement_of_version_1_is_read_whole() -> None:
    header, first, second, trailer = records(OFX_SGML)

    assert header == StatementHeader("12345", "EUR", "", "", date(2026, 3, 1), date(2026, 3, 2))
    assert first == ParsedLine(
        line_no=1,
        kind="entry",
        external_id="F1",
        booked_on=date(2026, 3, 1),
        value_on=None,
        currency="EUR",
        gross=Decimal("120.50"),
        fee=Decimal(0),
        net=Decimal("120.50"),
        presentment_amount=None,
        presentment_currency="",
        reference="",
        parent_reference="",
        payout_id="",
        merchant="",
        counterparty="ACME & SONS",
        text="ACME & SONS po_1 <PAYOUT>",
        references=("R1",),
    )
    assert isinstance(second, ParsedLine)
    assert (second.line_no, second.net, second.references) == (2, -Decimal("20.25"), ())
    assert trailer == StatementTrailer(closing=Decimal("1100.25"), closing_on=date(2026, 3, 2))


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("-6.60", "-6.60"),
        ("+5", "5"),
        ("12,34", "12.34"),
        ("-.5", "-0.5"),
        ("1,234.56", "1234.56"),
        ("-1.234,56", "-1234.56"),
        ("-00000000001500.0000", "-1500.0000"),
        ("000", "0"),
        ("3070.1328011762807", "3070.1328011762807"),
    ],
)
def test_amounts(text: str, amount: str) -> None:
    assert line(text).net == Decimal(amount)


@pytest.mark.parametrize(
    "text", ["", ".", "1,2,3", "€9", "12.00-", "1e5", "12 50", "1,23.4", "--1"]
)
def test_amounts_that_are_none_reject_their_line(text: str) -> None:
    assert reason(ofx(statement(entry(text)))).startswith("bad_amount: ")


@pytest.mark.parametrize(
    "text",
    [
        "20260301",
        "20260301235959",
        "20260301235959.123[-3.5:XXX]",
        "20260301[0:GMT]",
        "20260301120000[+0:UTC]",
    ],
)
def test_the_day_is_the_one_printed(text: str) -> None:
    data = ofx(statement(entry())).replace(b"20260301", text.encode())
    found = only(data)

    assert isinstance(found, ParsedLine)
    assert found.booked_on == date(2026, 3, 1)


@pytest.mark.parametrize("text", ["", "2026", "20260230", "202603011", "01.03.2026"])
def test_days_that_are_none_reject_their_line(text: str) -> None:
    data = ofx(statement(entry())).replace(b"20260301", text.encode())

    assert reason(data).startswith("bad_date: ")


def test_the_sign_rules_not_the_type() -> None:
    assert line("5.00").net == Decimal("5.00")


def test_a_name_that_the_memo_says_again_is_not_said_twice() -> None:
    found = line(rest="<NAME>PAYMENT FOR INV</NAME><MEMO>PAYMENT FOR INVOICE 12</MEMO>")

    assert (found.counterparty, found.text) == ("PAYMENT FOR INV", "PAYMENT FOR INVOICE 12")


def test_a_payee_is_a_name_as_field_and_as_aggregate() -> None:
    assert line(rest="<PAYEE>Telco</PAYEE>").counterparty == "Telco"
    aggregate = "<PAYEE><NAME>Telco</NAME><CITY>X</CITY></PAYEE>"
    assert line(rest=aggregate).counterparty == "Telco"


def test_one_fitid_twice_is_two_lines() -> None:
    found = records(ofx(statement(entry("-55.00"), entry("-1000"))))

    assert [each.net for each in found if isinstance(each, ParsedLine)] == [-55, -1000]


def test_several_accounts_and_cards_in_one_file() -> None:
    card = statement(entry(), currency="USD").replace("BANKACCTFROM", "CCACCTFROM")
    data = ofx(statement(entry()), card.replace("STMTRS", "CCSTMTRS").replace("ID>1<", "ID>2<"))
    headers = [each for each in records(data) if isinstance(each, StatementHeader)]

    assert [(each.account, each.currency) for each in headers] == [("1", "EUR"), ("2", "USD")]


def test_a_statement_without_transactions_has_its_balance() -> None:
    balance = "<LEDGERBAL><BALAMT>-5,5</BALAMT><DTASOF>20260302</DTASOF></LEDGERBAL>"
    _, trailer = records(ofx(statement(rest=balance)))

    assert trailer == StatementTrailer(closing=-Decimal("5.5"), closing_on=date(2026, 3, 2))


def test_a_balance_that_cannot_be_read_is_said_and_left_out() -> None:
    balance = "<LEDGERBAL><BALAMT>lots</BALAMT><DTASOF>20260302</DTASOF></LEDGERBAL>"
    _, problem, trailer = records(ofx(statement(rest=balance)))

    assert isinstance(problem, RejectedLine)
    assert (problem.line_no, problem.reason[:10]) == (0, "bad_amount")
    assert trailer == StatementTrailer(closing_on=date(2026, 3, 2))


def test_the_currency_of_an_amount_may_be_the_only_one() -> None:
    named = "<CURRENCY><CURRATE>1.0</CURRATE><CURSYM>AUD</CURSYM></CURRENCY>"

    assert line(rest=named, currency="").currency == "AUD"
    assert line(rest=named, currency="aud").currency == "AUD"
    assert reason(ofx(statement(entry(rest=named)))).startswith("foreign_currency: ")
    assert line(currency="").currency == ""


def test_an_original_currency_changes_nothing() -> None:
    named = "<ORIGCURRENCY><CURRATE>1.1</CURRATE><CURSYM>USD</CURSYM></ORIGCURRENCY>"

    assert line(rest=named).currency == "EUR"


def test_a_correction_of_an_earlier_line_is_for_a_person() -> None:
    rest = "<CORRECTFITID>F0</CORRECTFITID><CORRECTACTION>DELETE</CORRECTACTION>"

    assert reason(ofx(statement(entry(rest=rest)))).startswith(
        "correction: DELETE of transaction F0"
    )


def test_pending_transactions_are_not_booked() -> None:
    pending = f"<BANKTRANLISTP>{entry()}</BANKTRANLISTP>".replace("STMTTRN>", "STMTTRNP>")

    assert reason(ofx(statement(rest=pending))).startswith("not_booked: ")


def test_securities_are_rejected_and_the_money_beside_them_read() -> None:
    moved = f"<INVBANKTRAN>{entry('7.00')}</INVBANKTRAN>"
    bought = "<BUYMF><INVBUY><INVTRAN><FITID>S1</FITID></INVTRAN><TOTAL>-5</TOTAL></INVBUY></BUYMF>"
    inner = f"<INVTRANLIST>{moved}{bought}</INVTRANLIST>"
    data = ofx(f"<INVSTMTRS><CURDEF>USD</CURDEF>{inner}</INVSTMTRS>")
    _, money, security, _ = records(data)

    assert isinstance(money, ParsedLine)
    assert isinstance(security, RejectedLine)
    assert (money.net, security.reason[:11], security.line_no) == (7, "investment:", 2)


def test_a_field_twice_a_loose_text_and_a_missing_end_reject_their_line() -> None:
    twice = entry(rest="<TRNAMT>2.00</TRNAMT>")
    loose = entry(rest="<NAME>A</NAME>B")
    unclosed = entry().replace("</STMTTRN>", "")

    assert reason(ofx(statement(twice))) == "bad_row: TRNAMT stands twice"
    assert reason(ofx(statement(loose))) == "bad_row: the transaction holds 'B' loose"
    assert reason(ofx(statement(unclosed))) == "bad_row: the transaction is not closed"
    both = records(ofx(statement(unclosed, entry("2.00"))))
    assert [type(each).__name__ for each in both[1:3]] == ["RejectedLine", "ParsedLine"]


def test_a_rejected_line_shows_what_it_holds() -> None:
    found = only(ofx(statement(entry("x"))))

    assert isinstance(found, RejectedLine)
    assert found.raw == "<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20260301<TRNAMT>x<FITID>F1"


def test_an_answer_without_statement_is_refused_with_the_banks_words() -> None:
    status = "<STATUS><CODE>15500<SEVERITY>ERROR<MESSAGE>Signon invalid</STATUS>"
    with pytest.raises(ImportRefused, match=r"no_statements: .*15500 Signon invalid"):
        records(f"<OFX><SONRS>{status}</SONRS></OFX>".encode())


def test_an_error_beside_a_statement_is_said() -> None:
    status = "<STATUS><CODE>2003<SEVERITY>ERROR<MESSAGE>Account not found</STATUS>"
    *_, last = records(ofx(statement(entry()), status))

    assert last == RejectedLine(0, "bank_error: 2003 Account not found", "")


def test_whose_transactions_they_are_is_said_once_and_before_them() -> None:
    late = statement(entry(), currency="", rest="<CURDEF>EUR</CURDEF>")
    twice = statement(entry(), rest="<CURDEF>USD</CURDEF>")

    assert [refusal(ofx(each)) for each in (late, twice)] == ["malformed_ofx"] * 2


def test_unknown_entities_stay_and_known_ones_are_characters() -> None:
    found = line(rest="<MEMO>R&D &amp; &#65;&#x42; &nope; &#0; a < b</MEMO>")

    assert found.text == "R&D & AB &nope; &#0; a < b"
