"""Events about runs and discrepancies, told in the transaction that makes them true."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.utils import timezone

from payments.events import Fact, tell
from payments.models import Event
from reconciliation.models import Discrepancy, ReconciliationRun
from reconciliation.representations import represent_discrepancy, represent_run

FACTS_PER_STATEMENT = 1_000
OPENED, RESOLVED = "discrepancy.opened", "discrepancy.resolved"


@contextmanager
def telling_of_changes(run: ReconciliationRun) -> Iterator[None]:
    """What is unsettled after the block and was not before was opened; the other way, resolved.

    However the block does it. To be used inside its transaction. What people do meanwhile they
    tell of themselves.
    """
    before = _unsettled()
    yield
    after = _unsettled()
    for chunk in _chunks(after - before):
        again = [each for each in chunk if each.opened_by_id != run.pk]
        told = _told_as_open(again)
        _tell(OPENED, [each for each in chunk if each.public_id not in told])
    for chunk in _chunks(before - after):
        _tell(RESOLVED, [each for each in chunk if each.resolved_by_id == run.pk])


def tell_of_discrepancy(discrepancy: Discrepancy) -> None:
    """One that is locked was ended, or has to be worked again."""
    _tell(OPENED if discrepancy.status in Discrepancy.UNSETTLED else RESOLVED, [discrepancy])


def tell_of_run(run: ReconciliationRun) -> None:
    """It ended. It is about all merchants, so that only operators hear of it."""
    counts = {"match_count": run.match_count, "discrepancy_count": run.discrepancy_count}
    fact = Fact("reconciliation.completed", run.public_id, None, represent_run(run, **counts))
    tell([fact], at=timezone.now())


def _unsettled() -> set[int]:
    """Without what is only not due yet: that happens to every payment."""
    known = Discrepancy.objects.filter(resolved_at=None)
    worth_telling = known.exclude(type=Discrepancy.Type.SETTLEMENT_PENDING)
    return set(worth_telling.order_by().values_list("pk", flat=True))


def _chunks(pks: Iterable[int]) -> Iterator[list[Discrepancy]]:
    ordered = sorted(pks)
    for start in range(0, len(ordered), FACTS_PER_STATEMENT):
        rows = Discrepancy.objects.filter(pk__in=ordered[start : start + FACTS_PER_STATEMENT])
        yield list(rows.select_related("payment", "refund", "dispute").order_by("pk"))


def _told_as_open(discrepancies: list[Discrepancy]) -> set[str]:
    """Public ids of those whose last event says that they are open."""
    if not discrepancies:
        return set()
    newest = (
        Event.objects.filter(subject__in=[each.public_id for each in discrepancies])
        .order_by("subject", "-sequence")
        .distinct("subject")
        .values_list("subject", "type")
    )
    return {subject for subject, name in newest if name == OPENED}


def _tell(name: str, discrepancies: list[Discrepancy]) -> None:
    """Of what is about a merchant's payment the merchant hears; of the rest, operators."""
    facts = []
    for each in discrepancies:
        ours = each.payment or each.refund or each.dispute
        merchant_id = ours.merchant_id if ours else None
        facts.append(Fact(name, each.public_id, merchant_id, represent_discrepancy(each)))
    tell(facts, at=timezone.now())
