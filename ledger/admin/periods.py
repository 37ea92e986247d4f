"""Closing the books, step by step: each step its own permission, with a reason."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from ledger.actors import Actor
from ledger.admin.base import ReadOnlyAdmin, detail_action
from ledger.close_pack import as_csv, as_json
from ledger.models import AccountingPeriod
from ledger.services import periods

Status = AccountingPeriod.Status
STEPS = {
    Status.OPEN: {"close"},
    Status.CLOSED: {"lock", "request_reopening", "approve_reopening"},
    Status.LOCKED: set(),
}
DOWNLOADS = {"close_pack_json", "close_pack_csv"}


class AccountingPeriodAdmin(ReadOnlyAdmin):
    """Registered by the roof, which knows what is unfinished on the floors above the ledger."""

    list_display = ("code", "starts_at", "ends_at", "status", "closed_by", "closed_at")
    list_filter = ("status",)
    search_fields = ("code",)
    fields = (
        "code",
        "starts_at",
        "ends_at",
        "status",
        "closed_by",
        "closed_at",
        "reopening_requested_by",
        "reopening_approved_by",
        "close_pack_table",
    )
    actions_detail = (
        "close",
        "lock",
        "request_reopening",
        "approve_reopening",
        "close_pack_json",
        "close_pack_csv",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountingPeriod]:
        # A pack lists every account: it is only read where it is shown.
        return super().get_queryset(request).defer("close_pack")

    def close_period(self, period: AccountingPeriod, *, actor: Actor, reason: str) -> object:
        return periods.close_period(period.code, actor=actor, reason=reason)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the steps that fit the status of the period."""
        period = self.get_object(request, object_id)
        allowed = super().get_actions_detail(request, object_id)
        if period is None:
            return []
        fitting = STEPS[Status(period.status)] | (DOWNLOADS if period.close_pack else {"close"})
        return [step for step in allowed if step.path in fitting]

    @detail_action("Close", permission="ledger.close_accountingperiod")
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        period = self._found(request, object_id)
        return self.step(
            request,
            period,
            title="Close",
            explanation="No entry can take effect in the period any more, and its close pack is"
            " written. Entries that come late take effect when the next open period begins.",
            service=lambda actor, reason: self.close_period(period, actor=actor, reason=reason),
        )

    @detail_action("Lock", permission="ledger.lock_accountingperiod")
    def lock(self, request: HttpRequest, object_id: str) -> HttpResponse:
        period = self._found(request, object_id)
        return self.step(
            request,
            period,
            title="Lock",
            explanation="The period and all before it stay closed for good. This cannot be undone.",
            service=lambda actor, reason: periods.lock_period(
                period.code, actor=actor, reason=reason
            ),
        )

    @detail_action("Ask to open again", permission="ledger.request_reopening")
    def request_reopening(self, request: HttpRequest, object_id: str) -> HttpResponse:
        period = self._found(request, object_id)
        return self.step(
            request,
            period,
            title="Ask to open again",
            explanation="Nothing is opened before somebody else approves it.",
            service=lambda actor, reason: periods.request_reopening(
                period.code, actor=actor, reason=reason
            ),
        )

    @detail_action("Approve opening again", permission="ledger.approve_reopening")
    def approve_reopening(self, request: HttpRequest, object_id: str) -> HttpResponse:
        period = self._found(request, object_id)
        asker = period.reopening_requested_by or "Nobody"
        return self.step(
            request,
            period,
            title="Open again",
            explanation=f"{asker} asked for it. Entries may take effect in the period again until"
            " it is closed once more.",
            service=lambda actor, reason: periods.approve_reopening(
                period.code, actor=actor, reason=reason
            ),
        )

    @detail_action("Close pack (JSON)", permission="view")
    def close_pack_json(self, request: HttpRequest, object_id: str) -> HttpResponse:
        period = self._found(request, object_id)
        if not period.close_pack:
            raise Http404
        return _download(as_json(period.close_pack), f"{period.code}.json", "application/json")

    @detail_action("Close pack (CSV)", permission="view")
    def close_pack_csv(self, request: HttpRequest, object_id: str) -> HttpResponse:
        period = self._found(request, object_id)
        if not period.close_pack:
            raise Http404
        return _download(as_csv(period.close_pack), f"{period.code}.csv", "text/csv")

    @admin.display(description="close pack")
    def close_pack_table(self, period: AccountingPeriod) -> SafeString:
        return render_to_string("admin/ledger/close_pack.html", {"pack": period.close_pack})

    def _found(self, request: HttpRequest, object_id: str) -> AccountingPeriod:
        period = self.get_object(request, object_id)
        if period is None:
            raise Http404
        return period


def _download(text: str, name: str, content_type: str) -> HttpResponse:
    return HttpResponse(
        text,
        content_type=f"{content_type}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="close-pack-{name}"'},
    )
