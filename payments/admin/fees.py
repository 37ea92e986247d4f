"""What merchants are charged, and what a payment would cost."""

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import detail_action
from ledger.errors import DomainError
from ledger.money import CURRENCY_EXPONENTS, TEXT_LENGTH_MAX, Money
from payments.models import FeePlan, Merchant
from payments.services.fees import quote


class QuoteForm(forms.Form):
    merchant = forms.ModelChoiceField(Merchant.objects.all(), widget=UnfoldAdminSelectWidget)
    amount = forms.CharField(
        max_length=TEXT_LENGTH_MAX, widget=UnfoldAdminTextInputWidget, help_text="100.00"
    )
    currency = forms.ChoiceField(
        choices=[(code, code) for code in sorted(CURRENCY_EXPONENTS)],
        initial="EUR",
        widget=UnfoldAdminSelectWidget,
    )
    method = forms.CharField(
        max_length=40,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="visa, of the token tok_visa; empty: any",
    )
    date = forms.DateField(initial=lambda: timezone.now().date(), widget=UnfoldAdminDateWidget)


@admin.register(FeePlan)
class FeePlanAdmin(ReadOnlyAdmin):
    list_display = (
        "merchant",
        "currency",
        "method",
        "valid_from",
        "basis_points",
        "fixed",
        "minimum",
        "maximum",
        "refund_policy",
        "dispute_fee",
    )
    list_filter = ("currency", "method", "refund_policy")
    list_select_related = ("merchant",)
    search_fields = ("merchant__code",)
    actions_list = ("quote",)

    @detail_action("Quote", permission="view")
    def quote(self, request: HttpRequest) -> HttpResponse:
        """What a payment would cost; nothing changes, and it may be asked again and again."""
        form = QuoteForm(request.POST or None)
        if form.is_valid():
            wish = form.cleaned_data
            try:
                quoted = quote(
                    wish["merchant"],
                    Money.of(wish["amount"], wish["currency"]),
                    on=wish["date"],
                    method=wish["method"],
                )
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                plan = f"fee plan {quoted.plan}" if quoted.plan else "there is no fee plan"
                messages.info(
                    request,
                    f"{quoted.money}: fee {quoted.fee}, net {quoted.net}; {plan}.",
                )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Quote",
            "explanation": "What a payment of this amount would cost if it succeeded on that day.",
            "form": form,
            "back": reverse(f"{self.admin_site.name}:payments_feeplan_changelist"),
        }
        return TemplateResponse(request, "admin/ledger/step.html", context)
