"""Write-offs: the exact entry that was asked for, and the decision of a second person."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse

from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import detail_action
from ledger.admin.filters import WaitsForMeFilter
from reconciliation.models import WriteOff
from reconciliation.services.write_offs import (
    approve_write_off,
    entry_of,
    refuse_write_off,
    reverse_write_off,
    withdraw_write_off,
)

Status = WriteOff.Status
STEPS = {Status.REQUESTED: {"approve", "refuse", "withdraw"}, Status.POSTED: {"reverse"}}


class WriteOffWaits(WaitsForMeFilter):
    status = Status.REQUESTED
    asked_by = "requested_by"


@admin.register(WriteOff)
class WriteOffAdmin(ReadOnlyAdmin):
    list_display = (
        "public_id",
        "discrepancy",
        "kind",
        "money",
        "entry",
        "status",
        "requested_by",
        "decided_by",
        "created_at",
    )
    list_filter = (WriteOffWaits, "status", "kind", "reason_code", "currency", "created_at")
    list_select_related = ("discrepancy",)
    search_fields = ("public_id", "discrepancy__public_id", "discrepancy__reference")
    readonly_fields = ("entry",)
    actions_detail = ("approve", "refuse", "withdraw", "reverse")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the steps that fit the status of the write-off."""
        write_off = self.get_object(request, object_id)
        allowed = super().get_actions_detail(request, object_id)
        fitting = STEPS.get(Status(write_off.status), set()) if write_off else set()
        return [step for step in allowed if step.path in fitting]

    @admin.display(description="entry")
    def entry(self, write_off: WriteOff) -> str:
        shown = entry_of(write_off)
        return (
            f"{shown['amount']}: debit {shown['debit']}, credit {shown['credit']},"
            f" effective {shown['effective_on']}"
        )

    @detail_action("Approve", permission="reconciliation.approve_writeoff")
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        write_off = self._found(request, object_id)
        return self.step(
            request,
            write_off,
            title="Approve",
            explanation=f"{write_off.requested_by} asked for it: {write_off.reason}\n\n"
            f"Just this is posted: {self.entry(write_off)}; if that day is in a closed period,"
            " when the next one begins.",
            service=lambda actor, reason: approve_write_off(write_off, actor=actor, reason=reason),
        )

    @detail_action("Refuse", permission="reconciliation.refuse_writeoff")
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        write_off = self._found(request, object_id)
        return self.step(
            request,
            write_off,
            title="Refuse",
            explanation="Nothing is posted, and the discrepancy has to be worked again.",
            service=lambda actor, reason: refuse_write_off(write_off, actor=actor, reason=reason),
        )

    @detail_action("Withdraw", permission="reconciliation.withdraw_writeoff")
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        write_off = self._found(request, object_id)
        return self.step(
            request,
            write_off,
            title="Withdraw",
            explanation="Nothing is posted, and the discrepancy has to be worked again.",
            service=lambda actor, reason: withdraw_write_off(write_off, actor=actor, reason=reason),
        )

    @detail_action("Reverse", permission="reconciliation.reverse_writeoff")
    def reverse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        write_off = self._found(request, object_id)
        return self.step(
            request,
            write_off,
            title="Reverse",
            explanation="Its entry is undone by another one, now, and the discrepancy is open"
            " again.",
            service=lambda actor, reason: reverse_write_off(write_off, actor=actor, reason=reason),
        )

    def _found(self, request: HttpRequest, object_id: str) -> WriteOff:
        write_off = self.get_object(request, object_id)
        if write_off is None:
            raise Http404
        return write_off
