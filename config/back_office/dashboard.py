"""The landing page: what the viewer may see, each figure with the list behind it."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from config.back_office.figures import Figure, may_see
from config.back_office.lights import Light, lights
from config.back_office.payment_figures import Payments, payments_section
from config.back_office.reconciliation_figures import Discrepancies, discrepancies_section
from config.back_office.work_figures import (
    LastRun,
    count_tasks,
    last_runs,
    parked_by_queue,
    pipeline,
)
from payments.models import JobRun, ParkedWork, Payment
from reconciliation.models import Discrepancy, SourceAccount
from settlements.models import Payout, SettlementBatch


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A section that the viewer may not see is None."""

    waiting: list[Figure]
    stuck: list[Figure]
    lights: list[Light] | None
    discrepancies: Discrepancies | None
    payments: Payments | None
    pipeline: list[Figure] | None
    parked: list[Figure] | None
    runs: list[LastRun] | None


def dashboard_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What unfold shows on the index page."""
    return {**context, "title": "Today", "dashboard": dashboard(request)}


def dashboard(request: HttpRequest) -> Dashboard:
    now = timezone.now()
    today = now.astimezone(settings.PLATFORM_ZONE).date()
    tasks = count_tasks(request)
    return Dashboard(
        waiting=tasks["waiting"],
        stuck=tasks["stuck"],
        lights=lights() if may_see(request, SourceAccount) else None,
        discrepancies=discrepancies_section(today) if may_see(request, Discrepancy) else None,
        payments=payments_section(now) if may_see(request, Payment) else None,
        pipeline=pipeline(today) if may_see(request, SettlementBatch, Payout) else None,
        parked=parked_by_queue() if may_see(request, ParkedWork) else None,
        runs=last_runs() if may_see(request, JobRun) else None,
    )
