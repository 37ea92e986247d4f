"""What statements of one account say about each other."""

import pytest

from reconciliation.continuity import findings_of_account, findings_of_file
from reconciliation.models import SourceAccount
from reconciliation.services.runs import reconcile
from tests.factories import GatewayFactory
from tests.support.bank_files import camt, entry, totals
from tests.support.reports import define_sources, load

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank():
    GatewayFactory()
    return define_sources()[1]


def day(number: int, amount: str = "5.00", **terms: str | None) -> bytes:
    """The statement of the nth of March with one entry."""
    date = f"2026-03-{number:02d}"
    named = {"name": f"S{number}", "sequence": str(number), "day": date, **terms}
    return camt(entry(amount, ref=f"R{number}", day=date), **named)


def codes() -> list[tuple[str, str]]:
    account = SourceAccount.objects.get(identifier="DE02120300000000202051")
    return [(each.statement.identifier, each.code) for each in findings_of_account(account)]


def gaps(run) -> list[str]:
    return sorted(run.opened.filter(type="balance_gap").values_list("reference", flat=True))


def test_statements_that_follow_each_other_say_nothing(bank):
    for number, opening in ((16, "100.00"), (17, "105.00"), (18, "110.00")):
        load(bank, day(number, opening=opening))

    assert codes() == []
    assert gaps(reconcile()) == []


def test_missing_statement_is_said_and_mended_when_it_comes(bank):
    load(bank, day(16))
    late = load(bank, day(18, opening="110.00"))

    assert [finding.code for finding in findings_of_file(late)] == [
        "opening_break",
        "sequence_gap",
    ]
    assert gaps(reconcile()) == ["S18"]

    load(bank, day(17, opening="105.00"))

    assert codes() == [("S17", "out_of_order")]
    assert reconcile().resolved.filter(type="balance_gap").count() == 1


def test_number_that_was_skipped_is_said_and_no_gap_where_balances_agree(bank):
    load(bank, day(16))
    load(bank, day(18, opening="105.00"))

    assert codes() == [("S18", "sequence_gap")]
    assert gaps(reconcile()) == []


def test_number_that_was_skipped_is_a_gap_where_there_are_no_balances(bank):
    load(bank, day(16, opening=None, closing=None))
    load(bank, day(18, opening=None, closing=None))

    assert codes() == [("S18", "sequence_gap")]
    assert gaps(reconcile()) == ["S18"]


def test_numbers_begin_anew_with_the_year_and_pages_go_on(bank):
    load(bank, day(16, sequence="365"))
    load(bank, camt(name="N1", sequence="1", day="2027-01-01", opening="105.00"))
    load(bank, camt(name="N2", sequence="2", day="2027-01-02", opening="105.00"))

    assert codes() == []


def test_bank_that_always_writes_the_same_number_is_no_news(bank):
    load(bank, day(16, sequence="1"))
    load(bank, day(17, sequence="1", opening="105.00"))

    assert codes() == []


def test_balances_that_do_not_add_up_are_said_and_the_lines_are_loaded(bank):
    file = load(bank, day(16, closing="99.00"))

    (finding,) = findings_of_file(file)
    assert (file.status, file.line_count, finding.code) == ("LOADED", 1, "balance")
    assert "105.00 EUR, and it says 99.00 EUR" in finding.message
    assert gaps(reconcile()) == ["S16"]


def test_wrong_totals_of_a_source_that_quarantines_are_a_gap(bank):
    bank.on_bad_line = "quarantine"
    bank.save()

    file = load(bank, day(16, totals=totals(count=2, credit="7.00")))

    assert [finding.code for finding in findings_of_file(file)] == ["control_total"] * 2
    assert file.line_count == 1
    assert gaps(reconcile()) == ["S16"]


def test_right_totals_are_no_news(bank):
    load(bank, day(16, totals=totals(count=1, credit="5.00", debit="0.00")))

    assert codes() == []


def test_several_statements_of_one_day_follow_each_other(bank):
    load(bank, day(16, name="A", sequence="1"))
    second = camt(
        entry("7.00", ref="X", day="2026-03-16"),
        **{"name": "B", "sequence": "2", "day": "2026-03-16", "opening": "105.00"},
    )
    load(bank, second)

    assert codes() == []
    assert gaps(reconcile()) == []
