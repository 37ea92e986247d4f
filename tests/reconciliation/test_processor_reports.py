"""Reports of processors, loaded: which account a statement is of, and what its frame states."""

import pytest

from ledger.errors import Invalid
from reconciliation.continuity import findings_of_file
from reconciliation.models import Source, SourceAccount, StatementFile, StatementLine
from reconciliation.services.sources import SourceTerms, define_source, source_account
from tests.factories import GatewayFactory
from tests.reconciliation.importers.processor_reports import (
    DLOCAL,
    PAYPAL_SETTLEMENT,
    PAYPAL_TRANSACTIONS,
)
from tests.support.reports import define_sources, load

pytestmark = pytest.mark.django_db


def processor(format_code: str) -> Source:
    GatewayFactory()
    terms = SourceTerms(kind=Source.Kind.PROCESSOR_REPORT, formats=(format_code,), gateway="sim")
    return define_source("sim", terms)


def findings(file: StatementFile) -> list[tuple[str, str]]:
    found = findings_of_file(file)
    return [(each.statement.source_account.currency, each.code) for each in found]


def test_a_currency_that_a_report_names_has_its_statement_with_its_balances():
    file = load(processor("paypal.settlement"), PAYPAL_SETTLEMENT)

    statements = file.statements.order_by("source_account__currency")
    assert [
        (each.source_account.currency, each.line_count, each.opening_balance, each.closing_balance)
        for each in statements
    ] == [("EUR", 3, 500, 1485), ("JPY", 1, 0, 97)]
    assert findings(file) == []


def test_a_currency_without_lines_has_its_statement_too():
    quiet = b'"SF","USD",0,0,0,0,"CR",700,"CR",700,"CR",700,"CR",0,0\n"SC"'
    file = load(processor("paypal.settlement"), PAYPAL_SETTLEMENT.replace(b'"SC"', quiet))

    found = file.statements.get(source_account__currency="USD")
    assert (found.line_count, found.opening_balance, found.closing_balance) == (0, 700, 700)
    assert findings(file) == []


def test_a_count_of_lines_that_is_not_theirs_is_said_of_its_currency():
    wrong = PAYPAL_SETTLEMENT.replace(b'"CR",0,1\n"SC"', b'"CR",0,2\n"SC"')
    file = load(processor("paypal.settlement"), wrong)

    assert findings(file) == [("JPY", "control_total")]
    assert file.status == StatementFile.Status.LOADED


def test_a_total_that_is_not_the_lines_is_one_matter_and_no_miscount():
    wrong = PAYPAL_SETTLEMENT.replace(b'"SF","JPY",10000,', b'"SF","JPY",10001,')
    file = load(processor("paypal.settlement"), wrong)

    assert [row.code for row in file.rejected.all()] == ["wrong_control_total"]
    assert findings(file) == []


def test_a_currency_in_which_nothing_is_booked_and_no_day_said_has_no_statement():
    euros, dollars = b'900,"EUR","DR",25,"EUR"', b'900,"USD","DR",25,"USD"'
    file = load(processor("paypal.transactions"), PAYPAL_TRANSACTIONS.replace(euros, dollars))

    currencies = file.statements.values_list("source_account__currency", flat=True)
    assert list(currencies) == ["EUR"]
    assert [row.code for row in file.rejected.all()] == ["not_booked"]


def test_decimals_that_say_nothing_are_read_and_parts_of_a_cent_wait_for_a_person():
    report = DLOCAL.replace(b"3.772174,-0.075443,3.696731", b"3.770000,-0.070000,3.700000")
    more = (
        b"PAYMENT,D-2,M1-B,2026-01-08,2026-01-08,MXN,70.00,18.557000,3.772174,-0.075443,3.696731\n"
    )

    file = load(processor("dlocal.settlement"), report + more)

    amounts = StatementLine.objects.order_by("line_no").values_list("kind", "gross", "fee", "net")
    assert list(amounts) == [
        ("payout", -270, 0, -270),
        ("charge", 377, 7, 370),
        ("fee", 0, 100, -100),
    ]
    [waiting] = file.rejected.all()
    assert (waiting.line_no, waiting.code, waiting.raw) == (
        6,
        "invalid_amount",
        more.decode().rstrip("\n"),
    )
    assert "has more decimals than USD (2)" in waiting.reason


def test_a_gateway_is_reported_on_by_one_source():
    GatewayFactory()
    first, bank = define_sources()

    with pytest.raises(Invalid, match="sim reports on gateway sim already"):
        define_source(
            "other",
            SourceTerms(kind=first.kind, formats=("adyen.settlement_detail",), gateway="sim"),
        )

    assert list(Source.objects.values_list("code", flat=True)) == ["bank", "sim"]
    assert bank.accounts.count() == 1


def test_an_account_is_reported_on_by_one_source():
    GatewayFactory()
    _, bank = define_sources()
    account = bank.accounts.get()
    terms = SourceTerms(
        kind=bank.kind, formats=("mt940",), accounts=((account.identifier, account.currency),)
    )

    with pytest.raises(Invalid, match=f"bank reports on {account.identifier} EUR already"):
        define_source("other", terms)

    assert SourceAccount.objects.get() == account
    assert source_account(bank, account.identifier, "EUR") == account
