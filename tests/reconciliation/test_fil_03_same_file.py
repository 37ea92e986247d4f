"""FIL-03: the same file ten times in parallel is one import, whatever way it comes in."""

import io

import pytest

from reconciliation.models import StatementFile, StatementLine
from reconciliation.services.imports import import_statement
from reconciliation.services.loading import load_statements
from reconciliation.services.receiving import receive_statement
from tests.factories import GatewayFactory
from tests.support.bank_files import camt, entry, zipped
from tests.support.races import run_together
from tests.support.reports import ACTOR, define_sources

pytestmark = pytest.mark.django_db(transaction=True)

CONTENT = camt(*(entry(f"{n}.00", ref=f"R{n}") for n in range(1, 200)))


@pytest.fixture
def bank():
    GatewayFactory()
    return define_sources()[1]


def test_fil_03_loaded_ten_times_at_once(bank):
    results = run_together(
        *[lambda: import_statement(bank, io.BytesIO(CONTENT), name="a.xml", actor=ACTOR)] * 10
    )

    assert sorted(is_known for _, is_known in results) == [False] + [True] * 9
    assert len({file.public_id for file, _ in results}) == 1
    assert StatementFile.objects.get().chunks.count() == 1
    assert StatementLine.objects.count() == 199


def test_fil_03_received_ten_times_at_once_and_loaded_by_three(bank):
    received = run_together(
        *[
            lambda: receive_statement(
                bank, io.BytesIO(CONTENT), name="a.xml", channel="api", actor=ACTOR
            )
        ]
        * 10
    )
    loaded = run_together(*[load_statements] * 3)

    assert sorted(each.is_known for each in received) == [False] + [True] * 9
    assert sum(loaded) == 1
    assert StatementLine.objects.count() == 199


def test_fil_03_under_another_name_and_inside_an_archive(bank):
    first, _ = import_statement(bank, io.BytesIO(CONTENT), name="a.xml", actor=ACTOR)
    again, is_known = import_statement(bank, io.BytesIO(CONTENT), name="b.xml", actor=ACTOR)
    archive, _ = import_statement(
        bank, io.BytesIO(zipped(("c.xml", CONTENT))), name="c.zip", actor=ACTOR
    )

    assert (again, is_known) == (first, True)
    assert [member.file for member in archive.members.all()] == [first]
    assert StatementLine.objects.count() == 199
