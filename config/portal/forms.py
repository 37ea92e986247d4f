"""Forms of the portal; what the API has rules for is read by the API's own readers."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q, QuerySet
from rest_framework import serializers

from ledger.errors import DomainError
from ledger.money import CURRENCY_EXPONENTS, Money
from payments.api.card_data import refuse_card_number
from payments.api.conventions import FIELD_CODES, is_printable, read_money
from payments.api.idempotency import checked_key
from payments.api.payment_shapes import read_payment
from payments.gateways.simulator import TOKENS
from payments.models import ApiKey, Merchant, MerchantMember, Payment
from payments.services.api_keys import OVERLAP_HOURS, OVERLAP_HOURS_MAX
from payments.services.payments import PaymentWish
from payments.services.refunds import RefundWish

CURRENCIES = [(code, code) for code in sorted(CURRENCY_EXPONENTS)]
LIFETIMES = [("", "Never"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year")]
SENSIBLE_DAYS = [MinValueValidator(date(1970, 1, 1)), MaxValueValidator(date(2999, 12, 31))]


def plain_text(text: str) -> None:
    """What is kept can be shown to people and is no card number."""
    if not is_printable(text):
        raise forms.ValidationError(FIELD_CODES["control_character"], code="control_character")
    try:
        refuse_card_number(text)
    except DomainError as refusal:
        raise forms.ValidationError(refusal.message, code=refusal.code) from None


def day_field(label: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        validators=SENSIBLE_DAYS,
        widget=forms.DateInput(attrs={"type": "date"}),
    )


def amount_field(label: str, *, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )


class PaymentFilters(forms.Form):
    """Which payments the list shows; days are the merchant's, both included."""

    status = forms.ChoiceField(
        required=False, choices=[("", "Any"), *((each, each) for each in Payment.Status)]
    )
    search = forms.CharField(label="Reference or id", required=False, max_length=80)
    currency = forms.ChoiceField(required=False, choices=[("", "Any"), *CURRENCIES])
    amount_min = amount_field("Amount from", required=False)
    amount_max = amount_field("Amount to", required=False)
    first_day = day_field("From day")
    last_day = day_field("To day")

    def __init__(self, data: Any, *, zone: ZoneInfo) -> None:
        super().__init__(data)
        self.zone = zone

    def is_filtered(self) -> bool:
        return any(self.data.get(name) for name in self.fields)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        for name in ("amount_min", "amount_max"):
            if not found.get(name):
                continue
            if not found.get("currency"):
                self.add_error("currency", "Amounts need a currency.")
                continue
            try:
                found[name] = Money.of(found[name], found["currency"]).amount
            except DomainError as refusal:
                self.add_error(name, refusal.message)
        return found

    def condition(self) -> Q:
        """Of a form that is valid."""
        said, chosen = self.cleaned_data, Q()
        if said["status"]:
            chosen &= Q(status=said["status"])
        if said["search"]:
            chosen &= Q(reference=said["search"]) | Q(public_id=said["search"])
        if said["currency"]:
            chosen &= Q(currency=said["currency"])
        if said["amount_min"] not in ("", None):
            chosen &= Q(amount__gte=said["amount_min"])
        if said["amount_max"] not in ("", None):
            chosen &= Q(amount__lte=said["amount_max"])
        if said["first_day"]:
            chosen &= Q(created_at__gte=self._begin_of(said["first_day"]))
        if said["last_day"]:
            chosen &= Q(created_at__lt=self._begin_of(said["last_day"] + timedelta(days=1)))
        return chosen

    def _begin_of(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self.zone)


class OnceForm(forms.Form):
    """Carries the idempotency key of what it asks for."""

    idempotency_key = forms.CharField(max_length=255, widget=forms.HiddenInput)

    def clean_idempotency_key(self) -> str:
        try:
            return checked_key(self.cleaned_data["idempotency_key"])
        except DomainError as refusal:
            raise forms.ValidationError(refusal.message, code=refusal.code) from None

    @property
    def key(self) -> str:
        return str(self.cleaned_data["idempotency_key"])

    def said(self) -> dict[str, str]:
        """The body that the same wish would have at the API."""
        return {
            name: str(value)
            for name, value in self.cleaned_data.items()
            if name != "idempotency_key"
        }


class TestPaymentForm(OnceForm):
    """A payment to try things out with."""

    __test__ = False  # not one of pytest's

    amount = amount_field("Amount")
    currency = forms.ChoiceField(choices=CURRENCIES, initial="EUR")
    source = forms.ChoiceField(
        label="Card", choices=[(token, f"{token}: {meaning}") for token, meaning in TOKENS.items()]
    )
    capture = forms.ChoiceField(
        choices=[
            (Payment.Capture.AUTOMATIC, "At once"),
            (Payment.Capture.MANUAL, "Authorise only; captured by the API"),
        ]
    )
    reference = forms.CharField(
        required=False,
        max_length=80,
        validators=[plain_text],
        help_text="Your own name for it; used once only.",
    )
    description = forms.CharField(required=False, max_length=255, validators=[plain_text])

    def __init__(self, merchant: Merchant, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.merchant = merchant

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if self.errors:
            return found
        try:
            self._wish = read_payment(self.said(), self.merchant)
        except DomainError as refusal:
            self.add_error(None, refusal.message)
        except serializers.ValidationError as refused:
            told: dict[str, Any] = serializers.as_serializer_error(refused)
            for name, problems in told.items():
                self.add_error(name if name in self.fields else None, [str(p) for p in problems])
        return found

    def wish(self) -> PaymentWish:
        """Of a form that is valid."""
        return self._wish


class RefundForm(OnceForm):
    """What is to be given back of a payment; how much is left is for the service to say."""

    amount = amount_field("Amount")
    reason = forms.CharField(required=False, max_length=255, validators=[plain_text])
    reference = forms.CharField(
        required=False,
        max_length=80,
        validators=[plain_text],
        help_text="Your own name for it; used once only.",
    )

    def __init__(self, payment: Payment, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.payment = payment
        self.fields["amount"].label = f"Amount in {payment.currency}"

    def clean_amount(self) -> str:
        said = str(self.cleaned_data["amount"])
        try:
            self._money = read_money(said, self.payment.currency)
        except DomainError as refusal:
            raise forms.ValidationError(refusal.message, code=refusal.code) from None
        return said

    def wish(self) -> RefundWish:
        """Of a form that is valid."""
        said = self.cleaned_data
        return RefundWish(self.payment.public_id, self._money, said["reference"], said["reason"])


class StatusFilter(forms.Form):
    status = forms.ChoiceField(required=False)

    def __init__(self, data: Any, choices: list[tuple[str, Any]]) -> None:
        super().__init__(data)
        self.fields["status"].choices = [("", "Any"), *choices]  # type: ignore[attr-defined]

    def filtered(self, rows: QuerySet[Any], column: str = "status") -> QuerySet[Any]:
        """The rows with what is chosen; none for a status there is not."""
        if not self.is_valid():
            return rows.none()
        wanted = self.cleaned_data["status"]
        return rows.filter(**{column: wanted}) if wanted else rows

    def is_filtered(self) -> bool:
        return bool(self.data.get("status"))


class NewKeyForm(forms.Form):
    name = forms.CharField(
        max_length=80, validators=[plain_text], help_text="Where it will be used."
    )
    scopes = forms.MultipleChoiceField(
        label="It may", choices=ApiKey.Scope.choices, widget=forms.CheckboxSelectMultiple
    )
    days = forms.ChoiceField(label="Ends", required=False, choices=LIFETIMES)

    def __init__(self, own: frozenset[str], data: Any = None) -> None:
        super().__init__(data)
        choices = [(scope.value, scope.value) for scope in ApiKey.Scope if scope in own]
        self.fields["scopes"].choices = choices  # type: ignore[attr-defined]


class RotationForm(forms.Form):
    overlap_hours = forms.IntegerField(
        label="Hours the old key still works",
        min_value=0,
        max_value=OVERLAP_HOURS_MAX,
        initial=OVERLAP_HOURS,
    )


class RevocationForm(forms.Form):
    sure = forms.BooleanField(label="Nothing of ours uses this key any more")


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=MerchantMember.Role.choices)


class InvitationForm(RoleForm):
    email = forms.EmailField(label="E-mail", max_length=150)
    field_order = ("email", "role")


class RemovalForm(forms.Form):
    sure = forms.BooleanField(label="This person is to act for us no more")
