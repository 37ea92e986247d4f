"""FIL-02: kill -9 of whoever loads, at ten chance moments: the lines of an undisturbed load."""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command

from payments import doorbell
from reconciliation.models import Source, Statement, StatementFile, StatementLine
from reconciliation.services.loading import load_statements
from reconciliation.services.receiving import LOAD_STATEMENTS, receive_statement
from reconciliation.services.sources import SourceTerms, define_source
from tests.factories import GatewayFactory
from tests.support.books import query
from tests.support.own_names import database_url_of_tests
from tests.support.report_files import hash_of_lines, write_report
from tests.support.reports import ACTOR
from tests.support.servers import Child, start_worker, wait_for

LINES = 40_000
KILLS = 10
STAGED_OF_FILES = """
SELECT file.name, position FROM reconciliation_stagedline
JOIN reconciliation_statementfile AS file ON file.id = file_id
"""


def source(code: str) -> Source:
    GatewayFactory(code=f"gateway-{code}")
    return define_source(
        code,
        SourceTerms(
            kind=Source.Kind.PROCESSOR_REPORT,
            formats=("stripe.payout_reconciliation",),
            gateway=f"gateway-{code}",
        ),
    )


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.csv"
    write_report(path, LINES)
    return path


def state(of: Source) -> tuple[int, int, int]:
    """Attempts, lines read and visible lines of the only file of a source."""
    file = StatementFile.objects.filter(source=of).values_list("attempts", "lines_read").first()
    visible = StatementLine.objects.filter(file__source=of).count()
    return (*(file or (0, 0)), visible)


def kill_at_a_chance_moment(start: Callable[[], Child], of: Source, chance: random.Random) -> None:
    attempts, _, _ = state(of)
    loader = start()
    try:
        wait_for(lambda: state(of)[0] > attempts or loader.process.poll() is not None)
        # Anywhere: while lines are staged, or in the transaction that makes them visible.
        time.sleep(chance.uniform(0, 1.5))
    finally:
        loader.kill_group()
    assert state(of)[2] in (0, LINES), "half a file is visible"


@pytest.mark.django_db(transaction=True)
def test_fil_02_command_killed_ten_times_loads_the_same_lines(report: Path, tmp_path: Path) -> None:
    killed, calm = source("killed"), source("calm")
    command = [sys.executable, "manage.py", "import_statement", "--source", "killed", str(report)]
    chance = random.Random(6)

    def start() -> Child:
        return Child(command, tmp_path, DATABASE_URL=database_url_of_tests())

    for _ in range(KILLS):
        kill_at_a_chance_moment(start, killed, chance)
    call_command(*command[2:])
    call_command("import_statement", "--source", "calm", str(report))

    assert hash_of_lines(killed) == hash_of_lines(calm)
    assert StatementLine.objects.filter(file__source=killed).count() == LINES
    assert {file.status for file in StatementFile.objects.all()} == {"LOADED"}
    assert Statement.objects.filter(file__source=killed).count() == 1
    assert query(STAGED_OF_FILES) == []


@pytest.mark.django_db(transaction=True)
def test_fil_02_another_worker_finishes_what_a_killed_one_began(
    report: Path, tmp_path: Path, clean_redis: None
) -> None:
    killed, calm = source("killed"), source("calm")
    with report.open("rb") as content:
        receive_statement(killed, content, name="a.csv", channel="api", actor=ACTOR)

    worker = start_worker(tmp_path, lease_seconds=2)
    try:
        doorbell.ring(LOAD_STATEMENTS)
        wait_for(lambda: state(killed)[1] > 0)
    finally:
        worker.kill_group()
    wait_for(lambda: load_statements() or state(killed)[2] == LINES)
    call_command("import_statement", "--source", "calm", str(report))

    assert hash_of_lines(killed) == hash_of_lines(calm)
    file = StatementFile.objects.get(source=killed)
    assert (file.status, file.deaths) in (("LOADED", 1), ("LOADED", 0))
