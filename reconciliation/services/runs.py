"""A reconciliation run from start to end."""

from datetime import date

from django.db import transaction
from django.utils import timezone

from ledger import sql
from reconciliation.errors import NothingToReconcile
from reconciliation.locks import lock_reconciliation, one_run_at_a_time
from reconciliation.matching_rules import ALL_RULES
from reconciliation.models import Discrepancy, Match, ReconciliationRun, Source
from reconciliation.selectors import latest_day
from reconciliation.services.booking import book_run
from reconciliation.services.deposits import BankMatcher
from reconciliation.services.findings import judge_balances, open_unparsed_lines
from reconciliation.services.matching import match_processor
from reconciliation.services.sources import processor_accounts


def reconcile(*, as_of: date | None = None, source: Source | None = None) -> ReconciliationRun:
    """Match everything loaded up to `as_of` (default: the latest day covered), and post it.

    Only what is open is looked at; running it again finds nothing new and changes nothing. With a
    `source`, only that source is matched. A run that was cut off is finished first. Raises
    NothingToReconcile if no statement is loaded.
    """
    day = as_of or latest_day()
    if day is None:
        raise NothingToReconcile()
    with one_run_at_a_time():
        return _run(day, source)


def _run(day: date, source: Source | None) -> ReconciliationRun:
    for unfinished in ReconciliationRun.objects.filter(finished_at=None).order_by("pk"):
        _finish(unfinished)
    run = ReconciliationRun.objects.create(
        as_of=day,
        source_code=source.code if source else "",
        rules={rule.name: rule.version for rule in ALL_RULES},
        started_at=timezone.now(),
    )
    sql.execute("reconciliation", "refresh_statistics")
    sources = Source.objects.filter(pk=source.pk) if source else Source.objects.all()
    # Processors first: their payout rows are what the banks' deposits are matched with.
    for each in sources.order_by("-kind", "code"):
        _match(each, run)
    _finish(run)
    return run


@transaction.atomic
def _match(source: Source, run: ReconciliationRun) -> None:
    lock_reconciliation()
    if source.kind == Source.Kind.PROCESSOR_REPORT:
        processor_accounts(source, _currencies_owed(source))
        match_processor(source, run)
    else:
        BankMatcher(source, run).match()
    sql.execute("reconciliation", "resolve_by_evidence", run_id=run.pk)
    sql.execute("reconciliation", "reopen_by_evidence")
    open_unparsed_lines(source, run)
    judge_balances(source, run)


def _currencies_owed(source: Source) -> list[str]:
    """Currencies in which payments went through the source's gateway."""
    rows = sql.rows("reconciliation", "gateway_currencies", gateway_id=source.gateway_id)
    return [row.currency for row in rows]


def _finish(run: ReconciliationRun) -> None:
    """Post the run's facts and seal its record."""
    sql.execute("reconciliation", "refresh_statistics")
    book_run(run)
    (result,) = sql.rows("reconciliation", "result_hash", run_id=run.pk)
    run.refresh_from_db()
    run.match_count = Match.objects.filter(run=run).count()
    run.discrepancy_count = Discrepancy.objects.filter(opened_by=run).count()
    run.result_hash = result.hash
    run.finished_at = timezone.now()
    run.save()
