"""A reconciliation run from start to end."""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from ledger import sql
from ledger.models import Account
from ledger.money import CURRENCY_EXPONENTS
from payments.bookkeeping import clearing
from reconciliation import progress
from reconciliation.errors import NothingToReconcile
from reconciliation.locks import lock_reconciliation, one_run_at_a_time, only_run_there_is
from reconciliation.matching_rules import ALL_RULES
from reconciliation.models import (
    Discrepancy,
    Match,
    ReconciliationRun,
    Source,
    StatementFile,
)
from reconciliation.selectors import latest_day
from reconciliation.services.booking import book_run
from reconciliation.services.deposits import BankMatcher
from reconciliation.services.findings import (
    judge_balances,
    judge_disputes,
    open_unparsed_lines,
)
from reconciliation.services.matching import match_processor
from reconciliation.services.sources import processor_accounts
from reconciliation.telling import tell_of_run, telling_of_changes

Trigger = ReconciliationRun.Trigger
# A payment that was being written while the last run began may not have been seen by it.
OVERLAP = timedelta(minutes=1)


def reconcile(*, as_of: date | None = None, source: Source | None = None) -> ReconciliationRun:
    """Match everything loaded up to `as_of` (default: the latest day covered), and post it.

    Only what is open is looked at; running it again finds nothing new and changes nothing. With a
    `source`, only that source is matched. A run that was cut off is finished first; one for the
    same day and source goes on as if it had not been. Raises NothingToReconcile if no statement is
    loaded.
    """
    day = as_of or latest_day()
    if day is None:
        raise NothingToReconcile()
    with one_run_at_a_time():
        return _carry_out(_begin(Trigger.FULL, day, source), source)


def match_arrivals() -> ReconciliationRun | None:
    """Match what has come since the last run, without waiting for the next full one.

    That is: lines of new files, and payments and refunds that became final while a line with their
    reference waits. Only certain matches are made, and nothing is called missing: more may be on
    its way. None if nothing came, or if another run is under way and sees to it.
    """
    day = latest_day()
    if day is None or not _something_came():
        return None
    with only_run_there_is() as is_ours:
        return _carry_out(_begin(Trigger.ARRIVAL, day, None), None) if is_ours else None


def _something_came() -> bool:
    if StatementFile.objects.filter(has_new_lines=True).exists():
        return True
    looked = ReconciliationRun.objects.exclude(trigger=Trigger.PERSON).order_by("-pk")
    last = looked.first()
    if last is None or (last.trigger == Trigger.ARRIVAL and last.finished_at is None):
        return last is not None
    since = last.started_at - OVERLAP
    return bool(sql.rows("reconciliation", "find_waiting_lines", since=since))


@transaction.atomic
def _begin(trigger: Trigger, day: date, source: Source | None) -> ReconciliationRun:
    """A run that has these files before it, or the one that was cut off."""
    terms = {
        "trigger": trigger,
        "as_of": day,
        "source_code": source.code if source else "",
        "rules": {rule.name: rule.version for rule in ALL_RULES},
    }
    run = ReconciliationRun.objects.filter(finished_at=None, **terms).order_by("pk").last()
    if run is None:
        run = ReconciliationRun.objects.create(**terms, started_at=timezone.now())
    files = StatementFile.objects.filter(has_new_lines=True)
    if source is not None:
        files = files.filter(source=source)
    files.update(has_new_lines=False)
    return run


def _carry_out(run: ReconciliationRun, source: Source | None) -> ReconciliationRun:
    others = ReconciliationRun.objects.filter(finished_at=None).exclude(pk=run.pk)
    if run.trigger == Trigger.ARRIVAL:  # a full run that was cut off goes on by itself
        others = others.filter(trigger=run.trigger)
    for unfinished in others.order_by("pk"):
        progress.begin_run(unfinished)
        _finish(unfinished)
    progress.begin_run(run)
    sql.execute("reconciliation", "refresh_statistics")
    sources = Source.objects.filter(pk=source.pk) if source else Source.objects.all()
    # Processors first: their payout rows are what the banks' deposits are matched with.
    in_order = sources.order_by("-kind", "code")
    for number, each in enumerate(in_order, 1):
        progress.begin_source(each, number=number, of=len(in_order))
        _match(each, run)
    _finish(run)
    return run


@transaction.atomic
def _match(source: Source, run: ReconciliationRun) -> None:
    lock_reconciliation()
    with telling_of_changes(run):
        if source.kind == Source.Kind.PROCESSOR_REPORT:
            processor_accounts(source, _currencies_owed(source))
            match_processor(source, run)
        else:
            BankMatcher(source, run).match()
        progress.begin_phase("looking at disputes, evidence and balances")
        if run.trigger == Trigger.FULL:
            judge_disputes(source, run)
        sql.execute("reconciliation", "resolve_by_evidence", run_id=run.pk)
        sql.execute("reconciliation", "reopen_by_evidence")
        open_unparsed_lines(source, run)
        if run.trigger == Trigger.FULL:
            judge_balances(source, run)


def _currencies_owed(source: Source) -> list[str]:
    """Currencies in which anything went through the source's gateway."""
    assert source.gateway is not None
    codes = [clearing(source.gateway.code, currency).code for currency in CURRENCY_EXPONENTS]
    found = Account.objects.filter(owner="", code__in=codes)
    return list(found.values_list("currency", flat=True))


def _finish(run: ReconciliationRun) -> None:
    """Post the run's facts and seal its record."""
    progress.begin_posting()
    sql.execute("reconciliation", "refresh_statistics")
    book_run(run)
    with transaction.atomic():
        seal_run(run)
        tell_of_run(run)


def seal_run(run: ReconciliationRun) -> None:
    """Its record is complete: how much it found, and one hash over all of that."""
    (result,) = sql.rows("reconciliation", "result_hash", run_id=run.pk)
    run.refresh_from_db()
    run.match_count = Match.objects.filter(run=run).count()
    run.discrepancy_count = Discrepancy.objects.filter(opened_by=run).count()
    run.result_hash = result.hash
    run.finished_at = timezone.now()
    run.save()
