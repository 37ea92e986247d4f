"""Runs: what each found, and how far one is while it lasts."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from ledger.admin import ReadOnlyAdmin
from payments.admin.watched import Watched
from reconciliation.models import ReconciliationRun
from reconciliation.progress import RunProgress, progress_of, run_under_way

TONES = {"finished": "good", "under way": "warn", "cut off": "bad"}


@admin.register(ReconciliationRun)
class ReconciliationRunAdmin(ReadOnlyAdmin):
    list_display = (
        *("public_id", "state", "trigger", "as_of", "source_code"),
        *("match_count", "discrepancy_count", "started_at", "finished_at"),
    )
    search_fields = ("public_id", "result_hash")
    list_before_template = "admin/progress_before_list.html"
    change_list_template = "admin/progress_list.html"
    change_form_template = "admin/progress_record.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.watch)
        name = "reconciliation_reconciliationrun_watch"
        urls: list[URLPattern] = [path("<int:pk>/watch/", view, name=name), *super().get_urls()]
        return urls

    @admin.display(description="state")
    def state(self, run: ReconciliationRun) -> str:
        return progress_of(run).state

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        under_way = run_under_way() if self.has_view_permission(request) else None
        watched = {"watched": self._watched(under_way)} if under_way else {}
        return super().changelist_view(request, {**(extra_context or {}), **watched})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        if run is not None and self.has_view_permission(request, run):
            extra_context = {**(extra_context or {}), "watched": self._watched(progress_of(run))}
        return super().change_view(request, object_id, form_url, extra_context)

    def watch(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far a run is, alone: what its page and the list ask for until it is over."""
        run = self.get_object(request, str(pk))
        if run is None:
            raise Http404
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        context = {"watched": self._watched(progress_of(run))}
        return TemplateResponse(request, "admin/progress.html", context)

    def _watched(self, found: RunProgress) -> Watched:
        name = f"{self.admin_site.name}:reconciliation_reconciliationrun_watch"
        return Watched(
            title=f"{found.run} as of {found.run.as_of}",
            state=found.state,
            said=found.said,
            url=reverse(name, args=[found.run.pk]),
            is_running=found.is_running,
            percent=found.percent,
            tone=TONES[found.state],
        )
