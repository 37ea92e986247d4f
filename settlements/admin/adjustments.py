"""Corrections of what a merchant is owed: asked for by one person, decided by another."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from ledger.actors import Actor
from ledger.admin.base import detail_action
from ledger.errors import DomainError
from ledger.money import CURRENCY_EXPONENTS, TEXT_LENGTH_MAX, Money
from ledger.services.audit import REASON_LENGTH_MAX
from payments.models import Merchant
from settlements.admin.forms import AskingAdmin
from settlements.models import Adjustment
from settlements.services.adjustments import (
    approve_adjustment,
    refuse_adjustment,
    request_adjustment,
)


class AdjustmentForm(forms.Form):
    merchant = forms.ModelChoiceField(Merchant.objects.all(), widget=UnfoldAdminSelectWidget)
    amount = forms.CharField(
        max_length=TEXT_LENGTH_MAX,
        widget=UnfoldAdminTextInputWidget,
        help_text="100.00: the merchant is owed more; -100.00: less.",
    )
    currency = forms.ChoiceField(
        choices=[(code, code) for code in sorted(CURRENCY_EXPONENTS)],
        initial="EUR",
        widget=UnfoldAdminSelectWidget,
    )
    reason = forms.CharField(
        max_length=REASON_LENGTH_MAX, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )


@admin.register(Adjustment)
class AdjustmentAdmin(AskingAdmin):
    list_display = (
        "public_id",
        "merchant",
        "money",
        "reason",
        "status",
        "requested_by",
        "decided_by",
        "created_at",
    )
    list_filter = ("status", "currency")
    list_select_related = ("merchant",)
    search_fields = ("public_id", "merchant__code", "reason")
    actions_list = ("ask_for",)
    actions_detail = ("approve", "refuse")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only of one that waits."""
        adjustment = self.get_object(request, object_id)
        allowed = super().get_actions_detail(request, object_id)
        waits = adjustment is not None and adjustment.status == Adjustment.Status.REQUESTED
        return allowed if waits else []

    @detail_action("Ask for an adjustment", permission="settlements.request_adjustment")
    def ask_for(self, request: HttpRequest) -> HttpResponse:
        form = AdjustmentForm(request.POST or None)
        if form.is_valid():
            wish = form.cleaned_data
            try:
                adjustment = request_adjustment(
                    wish["merchant"],
                    Money.of(wish["amount"], wish["currency"]),
                    reason=wish["reason"],
                    actor=Actor.user(request.user),
                )
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"{adjustment} waits for somebody else to decide.")
                return HttpResponseRedirect(self._url_of(adjustment))
        return self.ask(
            request,
            form,
            title="Ask for an adjustment",
            explanation="Nothing moves until somebody else has approved it.",
            back=reverse(f"{self.admin_site.name}:settlements_adjustment_changelist"),
        )

    @detail_action("Approve", permission="settlements.approve_adjustment")
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        adjustment = self._found(request, object_id)
        return self.step(
            request,
            adjustment,
            title="Approve",
            explanation=f"{adjustment.requested_by} asked for it: {adjustment.reason}"
            f" {adjustment.money} join the next settlement of {adjustment.merchant}.",
            service=lambda actor, reason: approve_adjustment(
                adjustment, actor=actor, reason=reason
            ),
        )

    @detail_action("Refuse", permission="settlements.refuse_adjustment")
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        adjustment = self._found(request, object_id)
        return self.step(
            request,
            adjustment,
            title="Refuse",
            explanation="Nothing moves. This cannot be undone.",
            service=lambda actor, reason: refuse_adjustment(adjustment, actor=actor, reason=reason),
        )

    def _found(self, request: HttpRequest, object_id: str) -> Adjustment:
        adjustment = self.get_object(request, object_id)
        if adjustment is None:
            raise Http404
        return adjustment
