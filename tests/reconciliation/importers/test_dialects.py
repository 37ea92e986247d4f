"""What banks write that no handbook shows: each is read as meant, or refused with a reason."""

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
from reconciliation.importers.csv_proposal import propose
from tests.reconciliation.importers import camt_messages as camt
from tests.reconciliation.importers import mt940_messages as mt940

CAMT = camt.document(camt.FRAME + camt.entry())
MT940 = mt940.message(mt940.ENTRY, ":86:Müller")
BAI2 = (
    b"01,122099999,123456789,260319,0200,1,,,2/\n02,031001234,122099999,1,260319,2359,,2/\n"
    b"03,0975312468,,010,500000,,,015,510000,,/\n16,165,10000,Z,REF,CUST,DEALER PAYMENTS/\n"
    b"49,1020000,3/\n98,1020000,1,5/\n99,1020000,1,7/\n"
)
OFX_BODY = (
    "<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><ACCTID>123</BANKACCTFROM>"
    "<BANKTRANLIST><STMTTRN><DTPOSTED>20260319<TRNAMT>12.34<NAME>Müller & Sons</STMTTRN>"
    "</BANKTRANLIST><LEDGERBAL><BALAMT>100.00<DTASOF>20260319</LEDGERBAL></STMTRS></STMTTRNRS>"
    "</BANKMSGSRSV1></OFX>"
)
OFX_HEAD = "OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\nENCODING:USASCII\r\nCHARSET:1252\r\n"


def read(data: bytes) -> list[Record]:
    return list(FORMATS[recognise(io.BytesIO(data))](io.BytesIO(data)))


def nets(data: bytes) -> list[str]:
    found = read(data)
    assert not [each for each in found if isinstance(each, RejectedLine)], found
    return [str(each.net) for each in found if isinstance(each, ParsedLine)]


def trailers(data: bytes) -> list[StatementTrailer]:
    return [each for each in read(data) if isinstance(each, StatementTrailer)]


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\n  " + CAMT,
        b"\xef\xbb\xbf" + CAMT,
        b"\xef\xbb\xbf\r\n" + CAMT,
        CAMT.replace(b'encoding="UTF-8"', b'encoding="utf-16"'),
        CAMT.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        CAMT.decode().replace("UTF-8", "UTF-16LE").encode("utf-16-le"),
        CAMT.decode().replace("UTF-8", "ISO-8859-1").encode("latin-1"),
        CAMT.replace(b'<?xml version="1.0" encoding="UTF-8"?>', b""),
        CAMT.replace(b'"1.0" encoding="UTF-8"', b"'1.0' encoding='utf-8' standalone='yes'"),
    ],
)
def test_xml_is_read_however_its_bytes_are_dressed(data: bytes) -> None:
    assert nets(data) == ["12.34"]


@pytest.mark.parametrize("version", [f"{number:02d}" for number in range(1, 15)])
def test_the_version_of_a_camt_message_does_not_matter(version: str) -> None:
    namespace = f' xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"'

    assert nets(camt.document(camt.FRAME + camt.entry(), namespace=namespace)) == ["12.34"]


def page(number: int, is_last: str, *children: str) -> str:
    paging = f"<StmtPgntn><PgNb>{number}</PgNb><LastPgInd>{is_last}</LastPgInd></StmtPgntn>"
    frame = camt.FRAME.replace("<ElctrncSeqNb>", paging + "<ElctrncSeqNb>")
    return frame + "".join(children) + camt.entry("10.00")


def test_interim_balances_stand_between_the_pages_of_a_camt_statement() -> None:
    def balance(code: str, amount: str) -> str:
        return camt.balance(code, amount, "2026-03-19")

    data = camt.document(
        page(1, "false", balance("OPBD", "100"), balance("ITBD", "110")),
        page(2, "false", balance("ITBD", "110"), balance("ITBD", "120")),
        page(3, "true", balance("ITBD", "120"), balance("CLBD", "130")),
    )

    assert [(each.opening, each.closing) for each in trailers(data)] == [
        (100, 110),
        (110, 120),
        (120, 130),
    ]
    headers = [each for each in read(data) if isinstance(each, StatementHeader)]
    assert [each.sequence for each in headers] == ["7/1", "7/2", "7/3"]


def test_one_interim_balance_alone_does_not_tell_which_end_it_is() -> None:
    only = camt.balance("ITBD", "110", "2026-03-19")
    data = camt.document(page(2, "false", only), camt.FRAME + only + camt.entry())

    assert [(each.opening, each.closing) for each in trailers(data)] == [(None, None)] * 2


def test_a_balance_may_have_its_code_as_a_banks_own() -> None:
    own = camt.balance("OPBD", "100", "2026-03-19").replace("Cd>OPBD</Cd", "Prtry>OPBD</Prtry")

    assert camt.trailer(own).opening == 100


def test_what_was_asked_for_may_stand_at_the_entry_itself() -> None:
    asked = '<AmtDtls><InstdAmt><Amt Ccy="USD">15.00</Amt></InstdAmt></AmtDtls>'
    [line] = camt.lines(camt.entry(rest=camt.BOOKED + asked))

    assert (line.net, line.presentment_amount, line.presentment_currency) == (
        Decimal("12.34"),
        Decimal("15.00"),
        "USD",
    )


@pytest.mark.parametrize(
    "wrap",
    [
        "{{1:F01BANKDEFFAXXX0000000000}}{{2:I940BANKDEFFXXXXN}}{{4:\r\n{}}}",
        "{{1:F01B}}{{2:O9400934081223B}}{{3:{{108:ABC}}}}{{4:\r\n{}}}{{5:{{CHK:123456789ABC}}}}",
        "\x01{{1:F01B}}{{2:I940B}}{{4:{}}}\x03",
        "\ufeff{}",
        ":940:\r\n{}",
        "{}\r\n\x1a",
    ],
)
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "  \r\n"])
def test_an_mt940_is_read_in_any_envelope_and_with_any_line_ends(wrap: str, end: str) -> None:
    text = MT940.decode().rstrip("\r\n")

    assert nets(wrap.format(text).replace("\r\n", end).encode()) == ["12.34"]


@pytest.mark.parametrize(
    ("entry", "net", "booked_on"),
    [
        (":61:260319C12,NTRFNONREF", "12", date(2026, 3, 19)),
        (":61:260319C,5NTRFNONREF", "0.5", date(2026, 3, 19)),
        (":61:2603190320RD12,34NTRFNONREF", "12.34", date(2026, 3, 20)),
        (":61:2603190320RCR12,34NTRFNONREF", "-12.34", date(2026, 3, 20)),
        (":61:260319    D12,34FCHGX//BANKREF12345  ", "-12.34", date(2026, 3, 19)),
        (":61:2601021231CR12,34S103REF", "12.34", date(2025, 12, 31)),
    ],
)
def test_an_entry_line_of_mt940_in_the_ways_of_banks(entry: str, net: str, booked_on: date) -> None:
    [line] = mt940.lines(entry)

    assert (str(line.net), line.booked_on) == (net, booked_on)


@pytest.mark.parametrize("mark", ["EC", "ED", "ERC", "ERD"])
def test_what_is_only_expected_is_not_booked(mark: str) -> None:
    entry = f":61:2603190319{mark}12,34NTRFNONREF"

    assert mt940.rejections(mt940.message(entry)) == [(5, "not_booked")]


@pytest.mark.parametrize(
    ("change", "nets_read"),
    [
        ((b"260319,2359", b"20260319,2359"), ["100.00"]),
        ((b"10000,Z,", b"10000,z,"), ["100.00"]),
        ((b"10000,Z,", b"10000,V,20260320,,"), ["100.00"]),
        ((b"10000,Z,", b"10000,S,0,5000,5000,"), ["100.00"]),
        ((b"10000,Z,", b"10000,D,2,0,5000,1,5000,"), ["100.00"]),
        ((b"03,0975312468,,010", b"03,0975312468,JPY,010"), ["10000"]),
        ((b"16,165,", b"16, 165, "), ["100.00"]),
        ((b"/\n", b"\r\n"), ["100.00"]),
        ((b"/\n", b"/" + b" " * 20 + b"\n\n"), ["100.00"]),
        ((b"01,1220", b"\xef\xbb\xbf01,1220"), ["100.00"]),
        ((b",,,2/\n02", b",,,3/\n02"), ["100.00"]),
    ],
)
def test_a_bai2_file_in_the_ways_of_banks(
    change: tuple[bytes, bytes], nets_read: list[str]
) -> None:
    assert nets(BAI2.replace(*change)) == nets_read


@pytest.mark.parametrize(
    "data",
    [
        (OFX_HEAD + "\r\n" + OFX_BODY).encode("cp1252"),
        (OFX_HEAD + "\r\n" + OFX_BODY).encode(),
        (OFX_HEAD.replace("\r\n", " ") + OFX_BODY).encode(),
        OFX_BODY.encode(),
        OFX_BODY.encode("utf-16"),
        ('<?OFX OFXHEADER="200" VERSION="211"?>\n' + OFX_BODY).encode(),
        (OFX_HEAD + OFX_BODY.replace(">", ">\n")).encode(),
        (OFX_HEAD + OFX_BODY + "\r\n\x1a").encode(),
    ],
)
def test_ofx_is_read_with_any_header_and_encoding(data: bytes) -> None:
    [line] = [each for each in read(data) if isinstance(each, ParsedLine)]

    assert (line.net, line.counterparty) == (Decimal("12.34"), "Müller & Sons")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (CAMT + CAMT, "malformed_xml"),
        (CAMT[:-20], "malformed_xml"),
        (CAMT.replace(b"12.34", b"12.34\xfc"), "malformed_xml"),
        (BAI2[: BAI2.index(b"\n99,")], "truncated"),
        (OFX_BODY.removesuffix("</OFX>").encode(), "truncated"),
    ],
)
def test_what_is_cut_off_or_twice_or_in_no_encoding_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        read(data)

    assert refused.value.code == code


EXPORTS = {
    "its currency stands in the name of the amount": (
        "Date,Payee,Amount (EUR),Amount (Foreign Currency),Type Foreign Currency\n"
        "2026-03-18,ACME,1000.00,,\n2026-03-19,Shop,-12.34,-15.0,USD\n"
    ),
    "one amount, repeated as a credit or a debit": (
        "Munt;Datum;Omschrijving;Valuta;Bedrag;Saldo;credit;debet\n"
        "EUR;19/03/2026;SHOP;19/03/2026;-12,34;987,66;;-12,34\n"
        "EUR;18/03/2026;ACME;18/03/2026;1000,00;1000,00;1000,00;\n"
    ),
    "a day of making beside the day of booking": (
        "Bewertungsdatum;IBAN;Währung;Buchungsdatum;Valuta;Text;Belastung;Gutschrift;Saldo\n"
        "19.03.2026;CH93 0076;EUR;19.03.2026;19.03.2026;SHOP;12.34;;987.66\n"
        "19.03.2026;CH93 0076;EUR;18.03.2026;18.03.2026;ACME;;1'000.00;1'000.00\n"
    ),
    "names without blanks": (
        "交易日期,摘要,收入金额,支出金额,币种\n"
        '2026-03-18,ACME,"1,000.00",,EUR\n2026-03-19,SHOP,,12.34,EUR\n'
    ),
    "no names, and a balance before and after each amount": (
        "123456789\tEUR\t20260319\t1000,00\t987,66\t20260319\t-12,34\tSHOP\n"
        "123456789\tEUR\t20260318\t0,00\t1000,00\t20260318\t1000,00\tACME\n"
    ),
}


@pytest.mark.parametrize("export", EXPORTS.values(), ids=EXPORTS.keys())
def test_the_mapping_proposed_for_an_export_reads_it(export: str) -> None:
    data = export.encode()

    found = list(FORMATS["csv"](io.BytesIO(data), propose(io.BytesIO(data)).mapping))

    lines = [each for each in found if isinstance(each, ParsedLine)]
    assert not [each for each in found if isinstance(each, RejectedLine)]
    assert sorted((each.booked_on.day, str(each.net), each.currency) for each in lines) == [
        (18, "1000.00", "EUR"),
        (19, "-12.34", "EUR"),
    ]
