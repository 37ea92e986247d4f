"""While a file loads: how far it is can be seen, its lines cannot, and only one reader counts."""

import io
from contextlib import suppress

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from ledger.errors import InvalidTransition
from payments.queues import queue_of
from payments.services.parking import park
from reconciliation.importers import FORMATS
from reconciliation.models import (
    RejectedLine,
    StatementFile,
    StatementFileChunk,
    StatementLine,
)
from reconciliation.services.imports import import_statement
from reconciliation.services.loading import load_now, load_statements
from reconciliation.services.receiving import receive_statement, take_over
from reconciliation.services.staging import Staging
from reconciliation.services.storing import give_up_file
from reconciliation.tasks import STATEMENT_FILES
from tests.support.bank_files import camt, entry
from tests.support.books import query
from tests.support.own_names import database_url_of_tests
from tests.support.report_files import NAMES, report_line
from tests.support.reports import ACTOR

LINES = 12_000
REPORT = (NAMES + "".join(map(report_line, range(LINES)))).encode()
COUNT_STAGED = "SELECT count(*) FROM reconciliation_stagedline"
SEEN = f"""
SELECT status, lines_read, bytes_read * 100 / size,
       (SELECT count(*) FROM reconciliation_statementline),
       ({COUNT_STAGED})
FROM reconciliation_statementfile
"""

STAGED = """
INSERT INTO reconciliation_stagedline
SELECT %s, n, 1, 1, n, 'charge', 'x', '', now(), now(), 1, 0, 1, NULL, '', '', '', '', '', '', '',
       '{}'
FROM generate_series(1, 2000) AS n
"""


@pytest.mark.django_db(transaction=True)
def test_others_see_how_far_it_is_and_no_line_before_the_end(sources):
    seen = []

    def look(file: StatementFile) -> None:
        with psycopg.connect(database_url_of_tests(), autocommit=True) as other:
            seen.append(other.execute(SEEN).fetchone())

    import_statement(sources[0], io.BytesIO(REPORT), name="a", actor=ACTOR, on_progress=look)

    assert [row[0] for row in seen] == ["LOADING"] * 4
    assert [row[1] for row in seen] == [0, 5_000, 10_000, 12_000]
    assert [row[3] for row in seen] == [0] * 4
    assert [row[4] for row in seen] == [0, 5_000, 10_000, 12_000]
    percents = [row[2] for row in seen]
    assert percents == sorted(percents)
    assert 0 < percents[1] < 100
    assert StatementLine.objects.count() == LINES


@pytest.mark.django_db(transaction=True)
def test_reader_whose_file_was_taken_over_writes_nothing(sources):
    taken = []

    def lose_it(file: StatementFile) -> None:
        if file.lines_read == 5_000 and not taken:
            taken.append(StatementFile.objects.get(pk=file.pk))
            take_over(taken[0])

    received = receive_statement(
        sources[0], io.BytesIO(REPORT), name="a", channel="api", actor=ACTOR, is_held=True
    )
    load_now(received.file, on_progress=lose_it)

    file = StatementFile.objects.get()
    assert (file.status, file.fence, file.failures) == ("LOADING", taken[0].fence, 0)
    assert not StatementLine.objects.exists()

    assert load_now(file)
    assert StatementLine.objects.count() == LINES


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_cut", [True, False], ids=["connection", "parser"])
def test_what_fails_while_a_piece_is_stored_leaves_nothing_and_is_tried_again(
    sources, monkeypatch, is_cut
):
    parse = FORMATS["stripe.payout_reconciliation"]

    def fail_once(stream, options):
        for number, record in enumerate(parse(stream, options)):
            if number == 7_000 and not failures:  # the second piece is open
                failures.append(number)
                if is_cut:
                    cut(connection.connection)
                else:
                    raise RuntimeError("a parser's mistake")
            yield record

    failures: list[int] = []
    formats = {**FORMATS, "stripe.payout_reconciliation": fail_once}
    monkeypatch.setattr("reconciliation.services.loading.FORMATS", formats)
    receive_statement(sources[0], io.BytesIO(REPORT), name="a", channel="api", actor=ACTOR)

    with suppress(OperationalError):
        load_statements()
    assert failures == [7_000]
    assert not StatementLine.objects.exists()

    StatementFile.objects.update(due_at=timezone.now(), leased_until=None)
    load_statements()
    assert StatementFile.objects.get().status == "LOADED"
    assert StatementLine.objects.count() == LINES


@pytest.mark.django_db(transaction=True)
def test_lines_of_a_reader_that_vanished_are_in_nobodys_way(sources):
    received = receive_statement(
        sources[0], io.BytesIO(REPORT), name="a", channel="api", actor=ACTOR, is_held=True
    )
    with psycopg.connect(database_url_of_tests()) as vanished:
        vanished.execute(STAGED, [received.file.pk])

        assert load_now(received.file)
        vanished.rollback()

    assert StatementLine.objects.count() == LINES


def test_half_a_character_is_a_line_that_cannot_be_read(sources, monkeypatch):
    parse = FORMATS["stripe.payout_reconciliation"]

    def halve(stream, options):
        for number, record in enumerate(parse(stream, options)):
            yield record._replace(text="\ud83d") if number == 2 else record

    formats = {**FORMATS, "stripe.payout_reconciliation": halve}
    monkeypatch.setattr("reconciliation.services.loading.FORMATS", formats)
    report = (NAMES + "".join(map(report_line, range(3)))).encode()

    file, _ = import_statement(sources[0], io.BytesIO(report), name="a", actor=ACTOR)

    assert (file.status, file.line_count) == ("LOADED_WITH_ERRORS", 2)
    assert "half of one" in RejectedLine.objects.get().reason


@pytest.mark.django_db(transaction=True)
def test_what_fails_at_the_very_end_leaves_nothing_open(sources, monkeypatch):
    write = Staging._write

    def fail_at_the_end(self):
        write(self)
        if self.staged == LINES:
            raise RuntimeError("the very end")

    monkeypatch.setattr(Staging, "_write", fail_at_the_end)
    receive_statement(sources[0], io.BytesIO(REPORT), name="a", channel="api", actor=ACTOR)

    load_statements()

    assert not connection.in_atomic_block
    file = StatementFile.objects.get()
    assert (file.failures, file.problem) == (1, "RuntimeError: the very end")
    assert not StatementLine.objects.exists()


def staged_of(file: StatementFile) -> int:
    ((count,),) = query(f"{COUNT_STAGED} WHERE file_id = %s", [file.pk])
    return count


def cut(line: psycopg.Connection) -> None:
    with psycopg.connect(database_url_of_tests(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [line.info.backend_pid])


def test_file_nobody_could_read_is_given_up_as_refused(sources):
    received = receive_statement(
        sources[1], io.BytesIO(camt(entry())), name="a", channel="api", actor=ACTOR
    )
    take_over(received.file)
    with connection.cursor() as cursor:
        cursor.execute(STAGED, [received.file.pk])
    park(received.file, "3 workers died while they held it.")

    assert load_statements() == 0
    give_up_file(received.file, ACTOR)

    file = StatementFile.objects.get()
    assert (file.status, file.refusal_code) == ("REFUSED", "given_up")
    assert "3 workers died" in file.refusal
    assert staged_of(file) == 0
    assert queue_of("reconciliation_statementfile") is STATEMENT_FILES


def test_database_keeps_the_bytes_as_they_came(sources):
    import_statement(sources[1], io.BytesIO(camt(entry())), name="a", actor=ACTOR)

    for change in (
        lambda: StatementFileChunk.objects.update(content=b""),
        lambda: StatementFileChunk.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError, match="kept as it arrived"), transaction.atomic():
            change()


def test_loaded_file_cannot_become_anything_else(sources):
    file, _ = import_statement(sources[1], io.BytesIO(camt(entry())), name="a", actor=ACTOR)

    with pytest.raises(InvalidTransition):
        give_up_file(file, ACTOR)


def test_text_that_copy_would_misread_arrives_as_it_is(sources):
    text = 'a\\b "c" {d,e} \\N \\. é €'
    content = camt(entry(text=text.replace('"', "&quot;"), ref="R{1,\\2}"))

    import_statement(sources[1], io.BytesIO(content), name="a", actor=ACTOR)

    line = StatementLine.objects.get()
    assert (line.text, line.external_id) == (text, "R{1,\\2}")
