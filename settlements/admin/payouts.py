"""Payouts: agreed to one by one or many at once, or canceled."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from ledger.actors import Actor
from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import detail_action
from settlements.models import Payout, PayoutAttempt
from settlements.services.payouts import approve_payout, approve_payouts, cancel_payout

Status = Payout.Status
STEPS = {Status.PENDING_APPROVAL: {"approve", "cancel"}, Status.APPROVED: {"cancel"}}
REFUSALS_SHOWN = 10


@admin.register(Payout)
class PayoutAdmin(ReadOnlyAdmin):
    list_display = (
        "public_id",
        "merchant",
        "money",
        "status",
        "requested_by",
        "approved_by",
        "sent_at",
        "paid_on",
        "failure_code",
    )
    list_filter = ("status", "currency")
    list_select_related = ("merchant",)
    search_fields = ("public_id", "merchant__code", "batch__public_id")
    actions = ("approve_selected",)
    actions_detail = ("approve", "cancel")

    def has_approve_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("settlements.approve_payout")

    def has_cancel_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("settlements.cancel_payout")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the steps that fit the status of the payout."""
        payout = self.get_object(request, object_id)
        allowed = super().get_actions_detail(request, object_id)
        fitting = STEPS.get(Status(payout.status), set()) if payout else set()
        return [step for step in allowed if step.path in fitting]

    @admin.action(description="Approve", permissions=["approve"])
    def approve_selected(self, request: HttpRequest, payouts: QuerySet[Payout]) -> None:
        approvals = approve_payouts(payouts, actor=Actor.user(request.user))
        if approvals.approved:
            messages.success(request, f"{len(approvals.approved)} payouts approved.")
        for _, refusal in approvals.refused[:REFUSALS_SHOWN]:
            messages.error(request, refusal.message)
        if len(approvals.refused) > REFUSALS_SHOWN:
            messages.error(request, f"{len(approvals.refused)} payouts were not approved in all.")

    @detail_action("Approve", permission="approve")
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        payout = self._found(request, object_id)
        return self.step(
            request,
            payout,
            title="Approve",
            explanation=f"{payout.money} go to {payout.merchant} with the next payout file."
            f" {payout.requested_by} asked for it.",
            service=lambda actor, reason: approve_payout(payout, actor=actor, reason=reason),
        )

    @detail_action("Cancel", permission="cancel")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        payout = self._found(request, object_id)
        return self.step(
            request,
            payout,
            title="Cancel",
            explanation=f"{payout.money} stay with us and join the next settlement of"
            f" {payout.merchant}.",
            service=lambda actor, reason: cancel_payout(payout, actor=actor, reason=reason),
        )

    def _found(self, request: HttpRequest, object_id: str) -> Payout:
        payout = self.get_object(request, object_id)
        if payout is None:
            raise Http404
        return payout


@admin.register(PayoutAttempt)
class PayoutAttemptAdmin(ReadOnlyAdmin):
    list_display = ("payout", "file", "is_live", "reason_code", "reason", "decided_at")
    list_filter = ("is_live", "reason_code")
    list_select_related = ("payout", "file")
    search_fields = ("payout__public_id", "file__public_id")
