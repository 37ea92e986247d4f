"""What beat's ticks do for the ledger; each may run any number of times, anywhere."""

from celery import shared_task

from ledger.services.holds import expire_holds
from ledger.services.sealing import seal_entries, seal_events


@shared_task(name="ledger.tasks.seal_ledger")
def seal_ledger() -> None:
    """Seal what is final."""
    seal_entries()
    seal_events()


@shared_task(name="ledger.tasks.expire_holds")
def expire_due_holds() -> None:
    """Give back what holds still keep whose time is over."""
    while expire_holds():
        pass
