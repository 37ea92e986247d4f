"""Locked querysets by name. The lock order of the whole system is in docs/architecture.md."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

from reconciliation.errors import ReconciliationUnderWay
from reconciliation.models import Discrepancy, Source, WriteOff

# Never reuse or renumber.
RECONCILIATION_RUN_LOCK = 7_002
STATEMENT_FILE_LOCK = 7_003  # with the id of the file
SOURCE_LINES_LOCK = 7_004  # with the id of the source
INBOX_LOCK = 7_005
PROOFS_LOCK = 7_009

LOCK_NOT_AVAILABLE = "55P03"


@contextmanager
def one_run_at_a_time() -> Iterator[None]:
    """Waits for other runs to end; held by this connection through the run's transactions."""
    with _no_time_limits():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [RECONCILIATION_RUN_LOCK])
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [RECONCILIATION_RUN_LOCK])


@contextmanager
def only_run_there_is() -> Iterator[bool]:
    """Whether no other run is under way; true until the block ends or this process dies."""
    with _no_time_limits(), _held_alone("%s", [RECONCILIATION_RUN_LOCK]) as is_ours:
        yield is_ours


@contextmanager
def _no_time_limits() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 0; SET statement_timeout = 0")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout; RESET statement_timeout")


def lock_reconciliation() -> None:
    """One matching transaction at a time, without the time limits of a request, until it ends."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RECONCILIATION_RUN_LOCK])


def keep_runs_away() -> None:
    """No run matches until this transaction ends. Raises ReconciliationUnderWay if one is at it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RECONCILIATION_RUN_LOCK])
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
            raise
        raise ReconciliationUnderWay() from None


def lock_source(pk: int) -> Source:
    """Whoever changes its settings waits here for the others; locked alone."""
    return Source.objects.select_for_update(no_key=True).get(pk=pk)


def lock_discrepancy(pk: int) -> Discrepancy:
    """Locked before its write-offs."""
    return Discrepancy.objects.select_for_update(of=("self",)).select_related("source").get(pk=pk)


def lock_write_off(pk: int) -> WriteOff:
    return WriteOff.objects.select_for_update(of=("self",)).get(pk=pk)


@contextmanager
def only_reader_of(file_id: int) -> Iterator[bool]:
    """Whether nobody else reads this file; true until the block ends or this process dies."""
    with _held_alone("%s, %s::int", [STATEMENT_FILE_LOCK, file_id]) as is_ours:
        yield is_ours


@contextmanager
def only_one_at_the_inbox() -> Iterator[bool]:
    """Whether nobody else empties the inbox; true until the block ends or this process dies."""
    with _held_alone("%s", [INBOX_LOCK]) as is_ours:
        yield is_ours


@contextmanager
def only_one_who_proves() -> Iterator[bool]:
    """Whether nobody else works tie-outs out to keep them; without the limits of a request."""
    with _no_time_limits(), _held_alone("%s", [PROOFS_LOCK]) as is_ours:
        yield is_ours


@contextmanager
def _held_alone(key: str, values: list[int]) -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({key})", values)
        (is_ours,) = cursor.fetchone()
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_advisory_unlock({key})", values)


def lock_lines_of(source_id: int) -> None:
    """Lines of a source become visible one file at a time, without the time limits of a request."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s::int)", [SOURCE_LINES_LOCK, source_id])
