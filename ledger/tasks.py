"""What the timetable does for the ledger; each may run any number of times, anywhere."""

import logging

from celery import shared_task

from ledger.services.holds import expire_holds
from ledger.services.sealing import seal_entries
from ledger.services.verification import verify_ledger

VERIFICATION_SECONDS_MAX = 3_600

logger = logging.getLogger(__name__)


@shared_task(name="ledger.tasks.seal_ledger")
def seal_ledger() -> None:
    """Seal what is final."""
    seal_entries()


@shared_task(name="ledger.tasks.expire_holds")
def expire_due_holds() -> None:
    """Give back what holds still keep whose time is over."""
    while expire_holds():
        pass


@shared_task(
    name="ledger.tasks.verify_ledger",
    soft_time_limit=VERIFICATION_SECONDS_MAX,
    time_limit=VERIFICATION_SECONDS_MAX + 60,
)
def verify() -> None:
    """Verify what was posted since the last time, and say aloud what is wrong."""
    for problem in verify_ledger():
        logger.critical("ledger.broken %s %s: %s", problem.check, problem.subject, problem.message)
