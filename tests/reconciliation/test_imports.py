"""Loading files: the same one once, bad ones not at all, bad lines kept with their reason."""

import io

import pytest

from ledger.errors import DomainError
from ledger.models import Account
from reconciliation.continuity import findings_of_file
from reconciliation.errors import FileRefused
from reconciliation.models import (
    Discrepancy,
    RejectedLine,
    Source,
    StatementFile,
    StatementLine,
)
from reconciliation.services.imports import import_statement
from reconciliation.services.rates import import_fx_rates
from reconciliation.services.receiving import opened
from reconciliation.services.runs import reconcile
from reconciliation.services.sources import SourceTerms, define_source
from tests.factories import SucceededPaymentFactory, eur
from tests.reconciliation.importers.processor_reports import OFX_SGML
from tests.support.bank_files import entry, message, statement
from tests.support.races import run_together
from tests.support.reports import ACTOR, IBAN, bank_of, charge, load, report

pytestmark = pytest.mark.django_db


def test_the_same_file_is_loaded_once(sources):
    content = report(charge(SucceededPaymentFactory(), "txn_1"))

    first, was_known = import_statement(sources[0], io.BytesIO(content), name="a.csv", actor=ACTOR)
    second, is_known = import_statement(sources[0], io.BytesIO(content), name="b.csv", actor=ACTOR)

    assert (was_known, is_known) == (False, True)
    assert first == second
    assert StatementLine.objects.count() == 1
    with opened(StatementFile.objects.get()) as kept:
        assert kept.read() == content


@pytest.mark.django_db(transaction=True)
def test_the_same_file_at_once_is_loaded_once(sources):
    content = report(charge(SucceededPaymentFactory(), "txn_1"))

    results = run_together(
        *[lambda: import_statement(sources[0], io.BytesIO(content), name="a.csv", actor=ACTOR)] * 4
    )

    assert sorted(is_known for _, is_known in results) == [False, True, True, True]
    assert StatementLine.objects.count() == 1


def test_two_identical_bank_lines_are_two_and_an_overlapping_file_adds_none(sources):
    bank = bank_of()
    for _ in range(2):
        bank.book(eur("5.00"), counterparty="Coffee", text="COFFEE")
    content = bank.statement()
    for name in (b"SB0000000001", b"SB0000000002"):
        content = content.replace(name, b"")

    load(sources[1], content)
    again = load(sources[1], content.replace(b"Coffee", b"Coffee "))

    assert StatementLine.objects.count() == 2 + again.line_count - again.known_count


def test_a_line_that_cannot_be_read_is_kept_and_becomes_a_discrepancy(sources):
    payment = SucceededPaymentFactory()
    bad = charge(payment, "txn_2", gross="1,2,3", net="1.00")

    file = load(sources[0], report(charge(payment, "txn_1"), bad))
    reconcile()

    assert (file.line_count, file.rejected_count) == (1, 1)
    rejected = RejectedLine.objects.get()
    assert rejected.line_no == 3
    found = Discrepancy.objects.get(type="unparsed_line")
    assert found.reference == f"{file.public_id}:3"


def test_a_card_number_in_free_text_is_masked_and_said(sources):
    """A payer's bank sent it; a reference that only looks like one stays as it is."""
    bank = bank_of()
    bank.book(eur("5.00"), counterparty="Payer", text="CARD 4111 1111 1111 1111 THANKS")
    bank.book(eur("6.00"), counterparty="Payer", text="REF 4111 1111 1111 1112")

    file = load(sources[1], bank.statement())

    assert set(StatementLine.objects.values_list("text", flat=True)) == {
        "CARD [card number] THANKS",
        "REF 4111 1111 1111 1112",
    }
    assert [finding.code for finding in findings_of_file(file)] == ["card_number"]


def test_a_format_the_source_does_not_send_is_refused(sources):
    with pytest.raises(FileRefused, match=r"format_not_allowed: stripe\.payout_reconciliation"):
        load(sources[1], report())

    assert StatementFile.objects.get().status == "REFUSED"


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"hello", b"<?xml version='1.0'?><a/>"])
def test_what_is_no_statement_is_refused_and_kept_as_it_came(sources, content):
    with pytest.raises(FileRefused):
        load(sources[0], content)

    file = StatementFile.objects.get()
    assert (file.status, file.size, file.due_at) == ("REFUSED", len(content), None)
    assert file.refusal_code
    assert not StatementLine.objects.exists()


def test_an_account_nobody_configured_is_refused_by_name(sources):
    bank = bank_of()
    bank.book(eur("5.00"), counterparty="Coffee", text="COFFEE")
    content = bank.statement().replace(IBAN.encode(), b"DE89370400440532013000")

    with pytest.raises(FileRefused, match="DE89370400440532013000"):
        load(sources[1], content)

    assert not StatementLine.objects.exists()


def test_a_file_without_a_currency_is_read_in_that_of_its_account():
    terms = SourceTerms(
        kind=Source.Kind.BANK_STATEMENT, formats=("ofx",), accounts=(("12345", "EUR"),)
    )

    file = load(define_source("bank", terms), OFX_SGML.replace(b"<CURDEF>EUR", b""))

    assert [
        (each.net, each.source_account.currency) for each in file.lines.order_by("line_no")
    ] == [
        (12050, "EUR"),
        (-2025, "EUR"),
    ]


def test_a_statement_that_says_nothing_keeps_nobody_else_out(sources):
    quiet = f"<Stmt><Id>Q</Id><Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct></Stmt>"
    content = message(statement(entry("5.00")), quiet)

    file = load(sources[1], content)

    assert [each.identifier for each in file.statements.all()] == ["S1"]


def test_the_first_statement_says_what_was_in_the_account_before(sources):
    bank = bank_of(opening="250.00")
    bank.book(eur("5.00"), counterparty="Coffee", text="COFFEE")

    load(sources[1], bank.statement())

    account = Account.objects.get(code=f"bank:{IBAN}:EUR")
    assert account.balance.money == eur("250.00")
    assert Account.objects.get(code="equity:opening:EUR").balance.money == eur("250.00")


def test_rates_are_replaced_by_day_and_a_bad_one_is_named():
    assert import_fx_rates("date,base,quote,rate\n2026-03-17,USD,EUR,0.9\n") == 1
    assert import_fx_rates("date,base,quote,rate\n2026-03-17,USD,EUR,0.91\n") == 1

    with pytest.raises(DomainError, match="Line 2"):
        import_fx_rates("date,base,quote,rate\n2026-03-17,USD,EUR,-1\n")
