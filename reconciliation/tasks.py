"""What workers and the timetable do with statement files."""

from celery import shared_task

from payments import queues
from payments.queues import Queue
from payments.tasks import drain
from reconciliation.models import StatementFile
from reconciliation.services.inbox import pick_up_statements
from reconciliation.services.loading import load_statements
from reconciliation.services.receiving import LOAD_STATEMENTS
from reconciliation.services.storing import give_up_file

# A file of a million lines takes its time, and says all the while that it is being read.
LOADING_SECONDS_MAX = 3_600

STATEMENT_FILES = queues.register(
    Queue(StatementFile, LOAD_STATEMENTS, load_statements, give_up_file, is_long=True)
)


@shared_task(
    name=STATEMENT_FILES.task,
    soft_time_limit=LOADING_SECONDS_MAX,
    time_limit=LOADING_SECONDS_MAX + 60,
)
def load_due_statements() -> None:
    """Load files that are due until none is left."""
    drain(STATEMENT_FILES)


@shared_task(
    name="reconciliation.tasks.pick_up_statements",
    soft_time_limit=LOADING_SECONDS_MAX,
    time_limit=LOADING_SECONDS_MAX + 60,
)
def empty_inbox() -> None:
    """Load what was put into the inbox folder."""
    pick_up_statements()
