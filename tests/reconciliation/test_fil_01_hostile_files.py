"""FIL-01: every kind of bad file, loaded as any other: what becomes of it, and nothing leaks."""

import codecs
import io
import zipfile

import pytest

from ledger.models import JournalEntry
from reconciliation.errors import FileRefused
from reconciliation.models import RejectedLine, Statement, StatementFile, StatementLine
from reconciliation.services.imports import import_statement
from tests.support.bank_files import (
    camt,
    encrypted,
    entry,
    gzipped,
    lying_about_size,
    message,
    statement,
    totals,
    zipped,
    zipped_link,
)
from tests.support.reports import ACTOR

pytestmark = pytest.mark.django_db

GOOD = camt(entry())
NAMES = (
    "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,"
    "reporting_category,description\n"
)
ROW = "txn_1,2026-03-18,2026-03-19,eur,100.00,2.90,97.10,charge,coffee\n"


def csv(*rows: str, names: str = NAMES) -> bytes:
    return (names + "".join(rows)).encode()


def row(**changes: str) -> str:
    """The good row with other cells."""
    cells = dict(zip(NAMES.strip().split(","), ROW.strip().split(","), strict=True))
    return ",".join({**cells, **changes}.values()) + "\n"


def with_doctype(declared: str, used: str = "x") -> bytes:
    first, mark, rest = camt(entry(text=used)).decode().partition("?>")
    return f"{first}{mark}<!DOCTYPE Document {declared}>{rest}".encode()


def nested(levels: int) -> str:
    return "<a>" * levels + "</a>" * levels


LAUGHS = '<!ENTITY l0 "lol">' + "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)
)
REFUSED_BANK_FILES = {
    "a DOCTYPE": (with_doctype(""), "dtd_refused"),
    "an entity that is a file": (
        with_doctype('[<!ENTITY x SYSTEM "file:///etc/passwd">]', "&x;"),
        "dtd_refused",
    ),
    "an entity from the network": (
        with_doctype('[<!ENTITY x SYSTEM "http://127.0.0.1:9/">]', "&x;"),
        "dtd_refused",
    ),
    "billion laughs": (with_doctype(f"[{LAUGHS}]", "&l9;"), "dtd_refused"),
    "quadratic blow-up": (
        with_doctype(f'[<!ENTITY a "{"a" * 1000}">]', "&a;" * 1000),
        "dtd_refused",
    ),
    "an external DTD": (with_doctype('SYSTEM "http://127.0.0.1:9/x.dtd"'), "dtd_refused"),
    "elements 65 deep": (camt(entry().replace("</Ntry>", nested(62) + "</Ntry>")), "too_deep"),
    "no statement inside": (message(), "no_statements"),
    "another message": (GOOD.replace(b"BkToCstmrStmt", b"CstmrCdtTrfInitn"), "unknown_format"),
    "a truncated message": (GOOD[:-40], "malformed_xml"),
    "two roots": (GOOD + GOOD.partition(b"?>")[2], "malformed_xml"),
    "an unknown encoding": (GOOD.replace(b"UTF-8", b"UTF-99"), "malformed_xml"),
    "another encoding than declared": (
        camt(entry(text="Café")).decode().encode("latin-1"),
        "malformed_xml",
    ),
    "NUL in XML": (GOOD.replace(b"COFFEE", b"COF\0EE"), "malformed_xml"),
    "a negative credit": (camt(entry("5.00").replace(">5.00", ">-5.00")), "bad_lines"),
    "a decimal comma": (camt(entry("5.00").replace(">5.00", ">5,00"), closing="1"), "bad_lines"),
    "an exponent": (camt(entry("5.00").replace(">5.00", ">5E2"), closing="1"), "bad_lines"),
    "30 February": (camt(entry(booked="2026-02-30")), "bad_lines"),
    "neither credit nor debit": (camt(entry(mark="PLUS")), "bad_lines"),
    "a fraction of a cent": (camt(entry("5.001"), closing="105.00"), "bad_lines"),
    "another currency than the account's": (camt(entry(currency="USD")), "bad_lines"),
    "more entries declared": (camt(entry(), totals=totals(2)), "rejected_control_total"),
    "fewer entries declared": (
        camt(entry(), entry(), totals=totals(1)),
        "rejected_control_total",
    ),
    "another sum of credits declared": (
        camt(entry(), totals=totals(credit="6.00")),
        "rejected_control_total",
    ),
    "another sum of debits declared": (
        camt(entry("-5.00"), totals=totals(debit="6.00")),
        "rejected_control_total",
    ),
    "an account nobody configured": (
        camt(entry(), iban="DE89370400440532013000"),
        "unknown_account",
    ),
    "a currency nobody configured": (camt(entry(), currency="GBP"), "unknown_account"),
    "a format the source does not send": (csv(ROW), "format_not_allowed"),
    "nothing": (b"", "unknown_format"),
    "blanks": (b" \r\n \n", "unknown_format"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(200), None),
    "XML of somebody else": (b"<?xml version='1.0'?><a/>", "unknown_format"),
}
REFUSED_ARCHIVES = {
    "a bomb": (zipped(("a.xml", bytes(30_000_000))), "archive_too_large"),
    "a gzip bomb": (gzipped(bytes(30_000_000)), "archive_too_large"),
    "many members that are too much together": (
        zipped(*((f"{n}.xml", bytes(3_000_000)) for n in range(10))),
        "archive_too_large",
    ),
    "an archive in an archive": (zipped(("a.zip", zipped(("a.xml", GOOD)))), "nested_archive"),
    "a gzip in a gzip": (gzipped(gzipped(GOOD)), "nested_archive"),
    "21 members": (zipped(*((f"{n}.xml", GOOD) for n in range(21))), "too_many_members"),
    "a directory of 10,000": (
        zipped(*((f"{n}.xml", b"") for n in range(10_000))),
        "too_many_members",
    ),
    "a symbolic link": (zipped_link("/etc/passwd"), "unsafe_member"),
    "a name that leads upwards": (zipped(("../../x.xml", GOOD)), "unsafe_name"),
    "an absolute name": (zipped(("/tmp/x.xml", GOOD)), "unsafe_name"),
    "a name with a drive": (zipped(("C:\\x.xml", GOOD)), "unsafe_name"),
    "encrypted": (encrypted(zipped(("a.xml", GOOD))), "encrypted_archive"),
    "bzip2 inside": (zipped(("a.xml", GOOD), method=zipfile.ZIP_BZIP2), "unsupported_archive"),
    "LZMA inside": (zipped(("a.xml", GOOD), method=zipfile.ZIP_LZMA), "unsupported_archive"),
    "a size that is a lie": (
        lying_about_size(zipped(("a.xml", GOOD)), len(GOOD) - 9),
        "malformed_archive",
    ),
    "a program": (zipped(("statement.exe", b"MZ" + bytes(100))), "unsafe_member"),
    "a truncated archive": (zipped(("a.xml", GOOD))[:-30], "malformed_archive"),
    "a truncated gzip": (gzipped(GOOD)[:-9], "malformed_archive"),
    "nothing inside": (zipped(), "empty_archive"),
}
REFUSED_REPORTS = {
    "a header alone that is not ours": (b"a,b,c\n1,2,3\n", "unknown_format"),
    "a missing column": (csv(names=NAMES.replace(",fee", "")), "missing_column"),
    "a column twice": (csv(names=NAMES.replace("description", "fee")), "duplicate_column"),
    "NUL": (csv(ROW, row(description="a\0b")), "nul_character"),
    "one line of 4 MB": (csv(row(description="x" * 4_000_000)), "line_too_long"),
    "a quote that swallows lines": (csv(row(description='"open'), ROW, ROW), "malformed_csv"),
    "half of UTF-16": (
        codecs.BOM_UTF16_LE + csv(ROW).decode().encode("utf-16-le")[:-1],
        "undecodable",
    ),
}
QUARANTINED_ROWS = {
    "two points in an amount": row(gross="1.234.56"),
    "a decimal comma in an amount": row(gross='"100,00"'),
    "brackets for a minus": row(gross="(100.00)"),
    "a minus behind": row(gross="100.00-"),
    "scientific notation": row(gross="1E+02"),
    "digits of another script": row(gross="١٠٠.٠٠"),
    "a sum that is wrong": row(net="97.00"),
    "a fraction of a cent": row(gross="100.001", net="97.101"),
    "an amount beyond everything": row(gross="9" * 17, net="9" * 17, fee="0"),
    "a day that is none": row(created_utc="2026-02-30"),
    "a day in words": row(created_utc="18-Mar-2026"),
    "no currency": row(currency=""),
    "an unknown currency": row(currency="zzz"),
    "too few cells": "txn_9,2026-03-18\n",
    "too many cells": ROW.strip() + ",1,2\n",
    "a stray quote": row(description='"a"b'),
    "an id longer than any": row(balance_transaction_id="t" * 101),
}


def refused(source, content: bytes) -> StatementFile:
    with pytest.raises(FileRefused):
        import_statement(source, io.BytesIO(content), name="it", actor=ACTOR)
    file = StatementFile.objects.get()
    assert (file.status, file.due_at, file.holder) == ("REFUSED", None, None)
    assert not StatementLine.objects.exists()
    assert not Statement.objects.exists()
    assert not JournalEntry.objects.exists()
    return file


@pytest.mark.parametrize("case", REFUSED_BANK_FILES)
def test_bank_file_is_refused_whole(sources, case):
    content, code = REFUSED_BANK_FILES[case]

    file = refused(sources[1], content)

    assert code in (file.refusal_code, None)


@pytest.mark.parametrize("case", REFUSED_ARCHIVES)
def test_archive_is_refused_whole(sources, case):
    content, code = REFUSED_ARCHIVES[case]

    file = refused(sources[1], content)

    assert file.refusal_code == code
    assert StatementFile.objects.count() == 1


@pytest.mark.parametrize("case", REFUSED_REPORTS)
def test_report_is_refused_whole(sources, case):
    content, code = REFUSED_REPORTS[case]

    assert refused(sources[0], content).refusal_code == code


@pytest.mark.parametrize("case", QUARANTINED_ROWS)
def test_bad_row_of_a_report_is_quarantined_and_the_others_are_loaded(sources, case):
    content = csv(ROW, QUARANTINED_ROWS[case], row(balance_transaction_id="txn_2"))

    file, _ = import_statement(sources[0], io.BytesIO(content), name="it", actor=ACTOR)

    assert (file.status, file.line_count) == ("LOADED_WITH_ERRORS", 2)
    (bad,) = RejectedLine.objects.all()
    assert (bad.line_no, bad.resolution) == (3, "")
    assert bad.raw == QUARANTINED_ROWS[case].strip()
    assert bad.reason.startswith(f"{bad.code}: ")


@pytest.mark.parametrize(
    "content",
    [
        csv(),
        csv(ROW),
        b"\xef\xbb\xbf" + csv(ROW),
        csv(ROW).decode().encode("utf-16"),
        csv(row(description="Café")).decode().encode("cp1252"),
        csv(ROW).replace(b"\n", b"\r\n"),
        csv(ROW).replace(b"\n", b"\r"),
        csv(ROW).replace(b",", b";"),
        csv(row(description='"a\nb"')),
        zipped(("reports/a.csv", csv(ROW))),
        gzipped(csv(ROW)),
    ],
    ids=[
        *("header alone", "one row", "BOM", "UTF-16", "cp1252", "CR LF", "CR"),
        *("semicolons", "a cell of two lines", "zip", "gzip"),
    ],
)
def test_unusual_and_good_report_is_loaded(sources, content):
    file, _ = import_statement(sources[0], io.BytesIO(content), name="it.gz", actor=ACTOR)

    assert file.status == "LOADED"
    assert {each.status for each in StatementFile.objects.all()} == {"LOADED"}
    assert StatementLine.objects.count() == (content != csv())


def test_bad_lines_of_a_refused_file_are_listed_with_their_numbers(sources):
    content = camt(entry(), entry(mark="PLUS"), entry(), entry(booked="yesterday"))

    file = refused(sources[1], content)

    assert [(bad.line_no, bad.code) for bad in file.rejected.all()] == [
        (2, "bad_direction"),
        (4, "bad_date"),
    ]
    assert "2 in all" in file.refusal


def test_statement_of_nothing_is_loaded(sources):
    content = message(statement(opening="7.00"))

    file, _ = import_statement(sources[1], io.BytesIO(content), name="it", actor=ACTOR)

    assert (file.status, file.line_count, Statement.objects.get().net) == ("LOADED", 0, 0)


def test_corpus_of_this_test_is_large_enough():
    cases = (REFUSED_BANK_FILES, REFUSED_ARCHIVES, REFUSED_REPORTS, QUARANTINED_ROWS)

    assert sum(map(len, cases)) >= 60
