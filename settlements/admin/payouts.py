"""Payouts: agreed to one by one or many at once, or canceled."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

from ledger.actors import Actor
from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import ReasonForm, detail_action
from ledger.admin.filters import WaitsForMeFilter
from ledger.money import Money
from settlements.admin.forms import AskingAdmin
from settlements.models import Payout, PayoutAttempt
from settlements.services.payouts import approve_payout, approve_payouts, cancel_payout

Status = Payout.Status
STEPS = {Status.PENDING_APPROVAL: {"approve", "cancel"}, Status.APPROVED: {"cancel"}}
REFUSALS_SHOWN = 10
SELECTED_MAX = 200


class SelectedForm(ReasonForm):
    """The ticked rows again, as Django's lists send them, and why."""

    action = forms.CharField(widget=forms.HiddenInput, initial="approve_selected")
    _selected_action = forms.MultipleChoiceField(widget=forms.MultipleHiddenInput)

    def __init__(self, chosen: Sequence[Payout], data: QueryDict | None) -> None:
        ids = [str(payout.pk) for payout in chosen]
        super().__init__(data, initial={"_selected_action": ids})
        self.fields["_selected_action"].choices = [(pk, pk) for pk in ids]  # type: ignore[attr-defined]


class PayoutWaits(WaitsForMeFilter):
    status = Status.PENDING_APPROVAL
    asked_by = "requested_by"


@admin.register(Payout)
class PayoutAdmin(AskingAdmin):
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
    list_filter = (PayoutWaits, "status", "currency", "paid_on")
    list_select_related = ("merchant",)
    search_fields = ("public_id", "merchant__code", "batch__public_id")
    actions = ("approve_selected",)
    actions_detail = ("approve", "cancel")

    def has_approve_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("settlements.approve_payout")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the steps that fit the status of the payout."""
        payout = self.get_object(request, object_id)
        allowed = super().get_actions_detail(request, object_id)
        fitting = STEPS.get(Status(payout.status), set()) if payout else set()
        return [step for step in allowed if step.path in fitting]

    @admin.action(description="Approve", permissions=["approve"])
    def approve_selected(
        self, request: HttpRequest, payouts: QuerySet[Payout]
    ) -> HttpResponse | None:
        """Show what would go to the bank, ask why, and approve just that."""
        chosen = list(payouts.select_related("merchant").order_by("pk")[: SELECTED_MAX + 1])
        if len(chosen) > SELECTED_MAX:
            messages.error(request, f"At most {SELECTED_MAX} are approved at a time.")
            return None
        form = SelectedForm(chosen, request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return self.ask(
                request,
                form,
                title=f"Approve {len(chosen)} payouts",
                explanation=f"{_sums(chosen)} go to merchants with the next payout files: "
                + "; ".join(f"{each}, {each.money} to {each.merchant}" for each in chosen)
                + ".",
                back=reverse(f"{self.admin_site.name}:settlements_payout_changelist"),
            )
        approvals = approve_payouts(
            chosen, actor=Actor.user(request.user), reason=form.cleaned_data["reason"]
        )
        if approvals.approved:
            messages.success(request, f"{len(approvals.approved)} payouts approved.")
        for _, refusal in approvals.refused[:REFUSALS_SHOWN]:
            messages.error(request, refusal.message)
        if len(approvals.refused) > REFUSALS_SHOWN:
            messages.error(request, f"{len(approvals.refused)} payouts were not approved in all.")
        return None

    @detail_action("Approve", permission="settlements.approve_payout")
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

    @detail_action("Cancel", permission="settlements.cancel_payout")
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


def _sums(payouts: Sequence[Payout]) -> str:
    sums: dict[str, Money] = {}
    for payout in payouts:
        sums[payout.currency] = sums.get(payout.currency, Money(0, payout.currency)) + payout.money
    return ", ".join(str(sums[currency]) for currency in sorted(sums))


@admin.register(PayoutAttempt)
class PayoutAttemptAdmin(ReadOnlyAdmin):
    list_display = ("payout", "file", "is_live", "reason_code", "reason", "decided_at")
    list_filter = ("is_live", "reason_code")
    list_select_related = ("payout", "file")
    search_fields = ("payout__public_id", "file__public_id")
