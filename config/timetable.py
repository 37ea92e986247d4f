"""The jobs of the platform and their business periods. docs/operations.md has them as a table."""

import logging
from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings

from ledger.actors import Actor
from ledger.services.verification import verify_ledger
from payments.events import purge_events
from payments.schedules import Daily, Every
from payments.services.heartbeats import purge_heartbeats
from payments.services.idempotency import purge_idempotency_keys
from payments.services.jobs import Job, newest_done, purge_job_runs, register
from reconciliation.errors import NothingToReconcile
from reconciliation.services.inbox import pick_up_statements
from reconciliation.services.runs import reconcile
from settlements.services.batches import settle_due

logger = logging.getLogger(__name__)

ACTOR = Actor.system("timetable")
SETTLE = "settle"


def our_zone() -> list[ZoneInfo]:
    return [settings.PLATFORM_ZONE]


def settle(period: str) -> str:
    """The days of merchants that ended since the last time, as of this period's end."""
    done = newest_done(SETTLE)
    batches = settle_due(
        datetime.fromisoformat(period),
        since=datetime.fromisoformat(done) if done else None,
        actor=ACTOR,
    )
    return f"{len(batches)} batches closed"


def reconcile_all(_period: str) -> str:
    """Everything loaded and what is in the inbox, up to the latest day a statement covers."""
    pick_up_statements()
    try:
        run = reconcile()
    except NothingToReconcile:
        return "no statement is loaded"
    return (
        f"{run.public_id} as of {run.as_of}: {run.match_count} matches,"
        f" {run.discrepancy_count} discrepancies"
    )


def verify(_period: str) -> str:
    """What was posted since the last time; says aloud what is wrong."""
    problems = verify_ledger()
    for problem in problems:
        logger.critical("ledger.broken %s %s: %s", problem.check, problem.subject, problem.message)
    return f"{len(problems)} problems" if problems else "the books hold"


def purge(_period: str) -> str:
    return (
        f"{purge_idempotency_keys()} idempotency keys, {purge_job_runs()} job runs,"
        f" {purge_heartbeats()} heartbeats, {purge_events()} events"
    )


JOBS = [
    Job(SETTLE, Every(minutes=15), settle),
    Job("purge", Daily(time(2, 15), our_zone), purge),
    Job("reconcile", Daily(time(2, 45), our_zone), reconcile_all),
    Job("verify", Daily(time(3, 30), our_zone), verify),
]
for job in JOBS:
    register(job)
