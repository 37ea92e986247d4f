"""Who works, and what the calendar asks for."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import detail_action
from payments.models import Heartbeat, JobRun
from payments.services.jobs import run_now, skip_job


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ("node", "pid", "started_at", "seen_at")
    search_fields = ("node",)


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    list_display = (
        *("job", "business_period", "status", "result", "problem"),
        *("failures", "due_at", "started_at", "finished_at"),
    )
    list_filter = ("status", "job", "created_at")
    search_fields = ("=job", "=business_period", "result", "problem")
    actions_detail = ("run_now", "skip")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what is not over can be hurried or skipped."""
        run = self.get_object(request, object_id)
        is_open = run is not None and run.status == JobRun.Status.DUE
        return super().get_actions_detail(request, object_id) if is_open else []

    @detail_action("Run now", permission="payments.change_jobrun")
    def run_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run = get_object_or_404(JobRun, pk=object_id)
        return self.step(
            request,
            run,
            title="Run now",
            explanation="A worker takes it within seconds, whatever it was waiting for.",
            service=lambda actor, reason: run_now(run, actor=actor, reason=reason),
        )

    @detail_action("Skip", permission="payments.skip_jobrun")
    def skip(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run = get_object_or_404(JobRun, pk=object_id)
        return self.step(
            request,
            run,
            title="Skip",
            explanation="It is never run for this period; the next period follows.",
            service=lambda actor, reason: skip_job(run, actor=actor, reason=reason),
        )
