"""Parked work, and what it leaves behind when it is given up."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ledger.actors import Actor
from ledger.models import AuditEvent
from payments.gateways.base import Outcome, Unanswered
from payments.models import (
    Event,
    ParkedWork,
)
from payments.services.parking import (
    ask_to_discard,
    discard,
    park,
)
from payments.services.processing import process_payments, process_refunds
from payments.work import Work
from tests.support.gateways import EventfulGateway, WorkerDied, die, use_gateway

MAKER, CHECKER = Actor("user", "1", "maker"), Actor("user", "2", "checker")
DAY = timedelta(days=1)


def parked(row: Work, *, age: timedelta = DAY) -> ParkedWork:
    """The row parked, and somebody asking to discard it; it was made that long ago."""
    row.refresh_from_db()
    park(row, "It does not work.")
    ParkedWork.objects.update(parked_at=timezone.now() - timedelta(seconds=121))
    if hasattr(row, "created_at"):
        type(row)._default_manager.filter(pk=row.pk).update(created_at=timezone.now() - age)
    record = ParkedWork.objects.get()
    ask_to_discard(record, actor=MAKER, reason="It never works.")
    return record


def given_up(row: Work, *, age: timedelta = DAY) -> ParkedWork:
    """The row, after two people gave it up."""
    record = discard(parked(row, age=age), actor=CHECKER)
    row.refresh_from_db()
    return record


def evidence() -> str:
    return AuditEvent.objects.get(action="work.discarded").after["evidence"]


def told() -> list[tuple[str, str]]:
    return list(Event.objects.order_by("id").values_list("type", "subject"))


def assert_refused(record: ParkedWork, refusal: type[Exception]) -> None:
    """Nothing has changed, and the record still waits."""
    with pytest.raises(refusal):
        discard(record, actor=CHECKER)
    record.refresh_from_db()
    assert record.resolution == ""
    assert not AuditEvent.objects.filter(action="work.discarded").exists()


def ask_and_die(monkeypatch: pytest.MonkeyPatch, *, moment: str, refund: bool = False) -> None:
    """A worker takes what is due and dies just before or after its gateway is asked."""
    with monkeypatch.context() as patch:
        use_gateway(patch, EventfulGateway(**{moment: die}))
        with pytest.raises(WorkerDied):
            process_refunds() if refund else process_payments()


def mute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway does not say what became of anything."""

    class Mute(EventfulGateway):
        def look_up(self, requests: object) -> list[Outcome | None]:
            return [Unanswered("timeout")]

    use_gateway(monkeypatch, Mute())
