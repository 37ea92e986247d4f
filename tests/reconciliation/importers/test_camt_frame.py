"""camt messages around their entries: balances, names, pages, several statements, refusals."""

import io
from datetime import date
from decimal import Decimal

import pytest

from reconciliation.importers import (
    FORMATS,
    ImportRefused,
    ParsedLine,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
    recognise,
)
from tests.reconciliation.importers.camt_messages import (
    FRAME,
    NAMESPACE,
    balance,
    document,
    entry,
    records,
    trailer,
)


def header_of(data: bytes, code: str = "camt.053") -> StatementHeader:
    header = records(data, code)[0]
    assert isinstance(header, StatementHeader)
    return header


def refusal(data: bytes, code: str = "camt.053") -> str:
    with pytest.raises(ImportRefused) as refused:
        records(data, code)
    return refused.value.code


def test_only_booked_balances_are_taken_with_their_sign() -> None:
    found = trailer(
        balance("OPAV", "1", "2026-03-19"),
        balance("PRCD", "2", "2026-03-18"),
        balance("OPBD", "3", "2026-03-19", "DBIT"),
        balance("ITBD", "4", "2026-03-20"),
        balance("CLBD", "5", "2026-03-20", ""),
        balance("CLAV", "6", "2026-03-20"),
    )

    assert (found.opening, found.opening_on) == (Decimal(-3), date(2026, 3, 19))
    assert (found.closing, found.closing_on) == (Decimal(5), date(2026, 3, 20))


def test_the_previous_closing_opens_a_statement_without_opening() -> None:
    found = trailer(balance("PRCD", "2.50", "2026-03-18", "DBIT"))

    assert (found.opening, found.opening_on) == (-Decimal("2.50"), date(2026, 3, 18))
    assert (found.closing, found.closing_on) == (None, None)


def test_a_statement_of_several_days_spans_them() -> None:
    found = trailer(
        balance("OPBD", "2", "2026-03-20"),
        balance("CLBD", "3", "2026-03-20"),
        balance("OPBD", "1", "2026-03-19"),
        balance("CLBD", "2", "2026-03-19"),
        balance("CLBD", "99", "2026-03-20", currency="USD"),
    )

    assert (found.opening, found.closing) == (Decimal(1), Decimal(3))


def test_balances_below_the_entries_are_taken() -> None:
    found = trailer(entry(), balance("CLBD", "5", "2026-03-20"))

    assert found.closing == Decimal(5)


def test_an_unreadable_balance_is_rejected_and_leaves_none() -> None:
    *_, line, last = records(document(FRAME + balance("CLBD", "-5", "2026-03-20") + entry()))

    assert isinstance(line, RejectedLine)
    assert (line.line_no, line.reason.partition(":")[0]) == (0, "bad_amount")
    assert last == StatementTrailer()


def test_control_totals_are_reported_as_declared() -> None:
    found = trailer(
        "<TxsSummry><TtlNtries><NbOfNtries>3</NbOfNtries></TtlNtries>"
        "<TtlCdtNtries><Sum>10.50</Sum></TtlCdtNtries></TxsSummry>"
    )

    assert found.declared_count == 3
    assert (found.declared_credit, found.declared_debit) == (Decimal("10.50"), None)


@pytest.mark.parametrize(
    "totals",
    [
        "<TtlDbtNtries><Sum>x</Sum></TtlDbtNtries>",
        "<TtlCdtNtries><Sum>-1</Sum></TtlCdtNtries>",
        "<TtlNtries><NbOfNtries>1.5</NbOfNtries></TtlNtries>",
    ],
)
def test_a_control_total_that_cannot_be_read_is_said(totals: str) -> None:
    *_, line, last = records(document(FRAME + f"<TxsSummry>{totals}</TxsSummry>" + entry()))

    assert isinstance(line, RejectedLine)
    assert (line.line_no, line.reason.partition(":")[0]) == (0, "bad_amount")
    assert last == StatementTrailer()


@pytest.mark.parametrize(
    "namespace",
    ["", NAMESPACE, ' xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.13"', ' xmlns="any"'],
)
def test_names_count_and_namespaces_do_not(namespace: str) -> None:
    assert len(records(document(FRAME + entry(), namespace=namespace))) == 3


def test_prefixed_enveloped_and_first_version_messages_are_read() -> None:
    inner = document(FRAME + entry(), namespace="").partition(b"?>")[2]
    prefixed = inner.replace(b"</", b"\0").replace(b"<", b"<c:").replace(b"\0", b"</c:")
    prefixed = prefixed.replace(b"<c:Document", b'<c:Document xmlns:c="any"', 1)
    enveloped = b"<Envelope><AppHdr/>" + inner + b"</Envelope>"
    first_version = inner.replace(b"BkToCstmrStmt", b"BkToCstmrStmtV01")

    for data in (prefixed, enveloped, first_version, inner.decode().encode("utf-16")):
        assert recognise(io.BytesIO(data)) == "camt.053"
        assert [type(record) for record in records(data)] == [
            StatementHeader,
            ParsedLine,
            StatementTrailer,
        ]


@pytest.mark.parametrize(
    ("code", "message", "statement"),
    [
        ("camt.052", "BkToCstmrAcctRpt", "Rpt"),
        ("camt.054", "BkToCstmrDbtCdtNtfctn", "Ntfctn"),
    ],
)
def test_reports_and_notifications_are_read_as_what_they_are(
    code: str, message: str, statement: str
) -> None:
    text = document(FRAME + entry()).decode()
    data = text.replace("BkToCstmrStmt", message).replace("Stmt>", f"{statement}>").encode()

    assert recognise(io.BytesIO(data)) == code
    assert len(records(data, code)) == 3
    assert refusal(data) == "not_this_format"


def test_each_statement_has_its_own_frame() -> None:
    other = "<Id>STM-8</Id><Acct><Id><Othr><Id>77 1</Id></Othr></Id></Acct>"
    usd = balance("OPBD", "1", "2026-03-19", currency="USD")
    found = records(document(FRAME + entry(), other + usd + entry(currency="USD")))

    assert [type(record) for record in found] == [StatementHeader, ParsedLine, StatementTrailer] * 2
    assert found[3] == StatementHeader("771", "USD", "STM-8", "", date(2026, 3, 19), None)
    assert isinstance(found[4], ParsedLine)
    assert (found[4].line_no, found[4].currency) == (2, "USD")


def test_a_page_of_a_statement_is_told_from_the_others() -> None:
    def sequence(page: str, is_last: str) -> str:
        header = f"<MsgPgntn><PgNb>{page}</PgNb><LastPgInd>{is_last}</LastPgInd></MsgPgntn>"
        return header_of(document(FRAME, header=header)).sequence

    assert sequence("1", "true") == "7"
    assert sequence("1", "false") == "7/1"
    assert sequence("2", "true") == "7/2"


def test_a_statement_without_account_tells_none() -> None:
    header = header_of(document("<Id>X</Id><CreDtTm>2026-03-20T22:00:00</CreDtTm>" + entry()))

    assert (header.account, header.currency) == ("", "")


def test_messages_that_prove_nothing_are_refused() -> None:
    account = "<Acct><Id><IBAN>DE1</IBAN></Id></Acct>"

    assert refusal(document()) == "no_statements"
    assert refusal(document(entry() + account)) == "account_after_entries"
    assert refusal(b"<Document><CstmrCdtTrfInitn/></Document>") == "not_this_format"
    assert refusal(b"") == "malformed_xml"


def test_the_position_of_the_file_does_not_matter_and_is_kept() -> None:
    file = io.BytesIO(document(FRAME + entry()))
    file.seek(30)

    assert recognise(file) == "camt.053"
    assert file.tell() == 30
    assert len(list(FORMATS["camt.053"](file))) == 3
