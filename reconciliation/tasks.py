"""What workers and the timetable do with statement files and their lines."""

from celery import shared_task

from payments import doorbell, queues
from payments.queues import Queue
from payments.tasks import drain
from reconciliation.models import StatementFile
from reconciliation.services.account_proofs import keep_due_proofs
from reconciliation.services.inbox import pick_up_statements
from reconciliation.services.loading import load_statements
from reconciliation.services.receiving import LOAD_STATEMENTS
from reconciliation.services.runs import match_arrivals
from reconciliation.services.storing import MATCH_ARRIVALS, give_up_file

# A file of a million lines takes its time, and says all the while that it is being read.
LOADING_SECONDS_MAX = 3_600
MATCHING_SECONDS_MAX = 3_600

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


@shared_task(
    name=MATCH_ARRIVALS,
    soft_time_limit=MATCHING_SECONDS_MAX,
    time_limit=MATCHING_SECONDS_MAX + 60,
)
def match_what_came() -> None:
    """Match lines that came, and payments that became final while a line waits for them."""
    doorbell.heard(MATCH_ARRIVALS)
    match_arrivals()


@shared_task(
    name="reconciliation.tasks.keep_proofs",
    soft_time_limit=MATCHING_SECONDS_MAX,
    time_limit=MATCHING_SECONDS_MAX + 60,
)
def keep_tie_outs() -> None:
    """Work out and keep what the newest runs left, for the lights of the back office."""
    keep_due_proofs()
