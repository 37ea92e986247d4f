"""FIL-04: the same statement in other bytes brings what is new in it, and nothing twice."""

import pytest

from ledger.models import JournalEntry
from reconciliation.continuity import findings_of_file
from reconciliation.models import Statement, StatementLine
from tests.factories import GatewayFactory
from tests.support.bank_files import camt, entry, message, statement
from tests.support.reports import define_sources, load

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank():
    GatewayFactory()
    return define_sources()[1]


def codes(file) -> list[str]:
    return [finding.code for finding in findings_of_file(file)]


def test_fil_04_one_more_line_is_exactly_one_new_line(bank):
    entries = [entry(f"{n}.00") for n in range(1, 20)]
    load(bank, camt(*entries))

    again = load(bank, camt(*entries, entry("20.00")))

    assert StatementLine.objects.count() == 20
    assert (again.line_count, again.known_count) == (20, 19)
    assert codes(again) == ["statement_again"]


def test_fil_04_lines_in_another_order_bring_nothing(bank):
    entries = [entry(f"{n}.00") for n in range(1, 20)]
    load(bank, camt(*entries))

    again = load(bank, camt(*entries[::-1]))

    assert (StatementLine.objects.count(), again.known_count) == (19, 19)


def test_fil_04_two_identical_lines_stay_two_however_often_they_come(bank):
    load(bank, camt(entry(), entry(), entry("7.00")))
    load(bank, camt(entry("7.00"), entry(), entry()))
    third = load(bank, camt(entry(), entry(), entry()))

    assert StatementLine.objects.filter(net=5_00).count() == 3
    assert StatementLine.objects.count() == 4
    assert third.known_count == 2


def test_fil_04_statement_that_stands_in_one_file_twice_counts_once(bank):
    one = statement(entry(), entry("7.00"))

    file = load(bank, message(one, one))

    assert (StatementLine.objects.count(), Statement.objects.count()) == (2, 1)
    assert (file.line_count, file.known_count) == (4, 2)


def test_fil_04_same_lines_in_two_statements_of_one_file_are_two_movements(bank):
    morning = statement(entry(), name="S1", sequence="1")
    evening = statement(entry(), name="S2", sequence="2", opening="105.00")

    load(bank, message(morning, evening))

    assert StatementLine.objects.count() == 2


def test_fil_04_corrected_reissue_leaves_a_gap_that_is_said(bank):
    load(bank, camt(entry("5.00")))

    again = load(bank, camt(entry("6.00")))

    assert StatementLine.objects.count() == 2
    assert codes(again) == ["statement_again"]
    assert "1 of its 1 lines are new" in str(findings_of_file(again)[0])


def test_fil_04_overlapping_statement_brings_the_days_that_are_new(bank):
    monday, tuesday = entry("5.00", day="2026-03-16"), entry("6.00", day="2026-03-17")
    load(bank, camt(monday, day="2026-03-16"))

    both = load(bank, camt(monday, tuesday, name="S2", day="2026-03-16", last_day="2026-03-17"))

    assert (StatementLine.objects.count(), both.known_count) == (2, 1)
    assert codes(both) == ["overlap"]


@pytest.mark.parametrize("version", ["camt.052.001.08", "camt.054.001.08"])
def test_fil_04_announcements_and_details_are_read_and_never_counted(bank, version):
    bank.formats = ["camt.053", "camt.052", "camt.054"]
    bank.save()

    early = load(bank, camt(entry(), entry("7.00"), version=version))

    assert (early.status, early.line_count, early.uncounted_count) == ("LOADED", 0, 2)
    assert not StatementLine.objects.exists()
    assert not Statement.objects.exists()
    assert not JournalEntry.objects.exists()

    load(bank, camt(entry(), entry("7.00")))

    assert StatementLine.objects.count() == 2
