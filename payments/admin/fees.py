"""What merchants are charged, and what a payment would cost."""

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from ledger.actors import Actor
from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import ReasonForm, detail_action
from ledger.errors import DomainError
from ledger.money import CURRENCY_EXPONENTS, TEXT_LENGTH_MAX, Money
from payments.models import FeePlan, Merchant
from payments.services.fees import quote
from payments.services.price_changes import Prices, ask_for_prices

CURRENCIES = [(code, code) for code in sorted(CURRENCY_EXPONENTS)]


def _amount(help_text: str, *, required: bool) -> forms.CharField:
    return forms.CharField(
        max_length=TEXT_LENGTH_MAX,
        required=required,
        initial="0" if required else "",
        widget=UnfoldAdminTextInputWidget,
        help_text=help_text,
    )


class QuoteForm(forms.Form):
    merchant = forms.ModelChoiceField(Merchant.objects.all(), widget=UnfoldAdminSelectWidget)
    amount = forms.CharField(
        max_length=TEXT_LENGTH_MAX, widget=UnfoldAdminTextInputWidget, help_text="100.00"
    )
    currency = forms.ChoiceField(
        choices=CURRENCIES,
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


class PricesForm(ReasonForm):
    merchant = forms.ModelChoiceField(Merchant.objects.all(), widget=UnfoldAdminSelectWidget)
    currency = forms.ChoiceField(choices=CURRENCIES, initial="EUR", widget=UnfoldAdminSelectWidget)
    method = forms.CharField(
        max_length=40,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="visa, of the token tok_visa; empty: any other",
    )
    valid_from = forms.DateField(widget=UnfoldAdminDateWidget)
    basis_points = forms.IntegerField(
        min_value=0,
        max_value=10_000,
        widget=UnfoldAdminTextInputWidget,
        help_text="Hundredths of a per cent of the amount.",
    )
    fixed = _amount("Plus this: 0.30", required=True)
    minimum = _amount("At least this.", required=True)
    maximum = _amount("At most this; empty: no limit.", required=False)
    refund_policy = forms.ChoiceField(
        choices=FeePlan.RefundPolicy.choices, widget=UnfoldAdminSelectWidget
    )
    dispute_fee = _amount("When a payment is disputed.", required=True)
    field_order = (
        *("merchant", "currency", "method", "valid_from", "basis_points", "fixed", "minimum"),
        *("maximum", "refund_policy", "dispute_fee", "reason"),
    )

    def prices(self) -> Prices:
        """Raises Invalid for an amount the currency does not have."""
        said = self.cleaned_data
        amounts = {
            name: Money.of(said[name], said["currency"]).amount if said[name] else None
            for name in ("fixed", "minimum", "maximum", "dispute_fee")
        }
        return Prices(
            basis_points=said["basis_points"],
            fixed=amounts["fixed"] or 0,
            minimum=amounts["minimum"] or 0,
            maximum=amounts["maximum"],
            refund_policy=said["refund_policy"],
            dispute_fee=amounts["dispute_fee"] or 0,
        )


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
        "set_by",
        "reason",
    )
    list_filter = ("currency", "method", "refund_policy")
    list_select_related = ("merchant",)
    search_fields = ("merchant__code",)
    actions_list = ("quote", "ask_for_prices")

    @detail_action("Ask for prices", permission="payments.request_feeplan")
    def ask_for_prices(self, request: HttpRequest) -> HttpResponse:
        form = PricesForm(request.POST or None)
        if form.is_valid():
            said = form.cleaned_data
            try:
                change = ask_for_prices(
                    said["merchant"],
                    form.prices(),
                    currency=said["currency"],
                    method=said["method"],
                    valid_from=said["valid_from"],
                    actor=Actor.user(request.user),
                    reason=said["reason"],
                )
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"{change} waits for somebody else to approve it.")
                return HttpResponseRedirect(
                    reverse(f"{self.admin_site.name}:payments_feeplan_changelist")
                )
        return self._form_page(
            request,
            form,
            title="Ask for prices",
            explanation="A new version from a day on, once somebody else approves it. What was"
            " charged before stays as it was.",
        )

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
        return self._form_page(
            request,
            form,
            title="Quote",
            explanation="What a payment of this amount would cost if it succeeded on that day.",
        )

    def _form_page(
        self, request: HttpRequest, form: forms.Form, *, title: str, explanation: str
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            **{"opts": self.opts, "title": title, "explanation": explanation, "form": form},
            "back": reverse(f"{self.admin_site.name}:payments_feeplan_changelist"),
        }
        return TemplateResponse(request, "admin/ledger/step.html", context)
