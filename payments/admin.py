"""Back-office screens of payments."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from ledger.admin import ReadOnlyAdmin
from payments.models import (
    ApiKey,
    Dispute,
    FeePlan,
    Gateway,
    Merchant,
    Payment,
    Refund,
    SimulatedOperation,
)


@admin.display(description="ledger")
def ledger_link(record: Payment | Refund | Dispute) -> str:
    """The journal entries about a record."""
    url = reverse("admin:ledger_journalentry_changelist")
    return format_html('<a href="{}?q={}">entries</a>', url, record.public_id)


@admin.register(Merchant)
class MerchantAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "email", "time_zone", "created_at")
    search_fields = ("code", "name", "email", "public_id")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ("name", "merchant", "prefix", "scopes", "last_used_at", "revoked_at")
    list_select_related = ("merchant",)
    search_fields = ("name", "prefix", "merchant__code")
    exclude = ("digest",)


@admin.register(Gateway)
class GatewayAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "adapter", "fee_basis_points", "fee_fixed", "settlement_days")
    search_fields = ("code", "name")


@admin.register(FeePlan)
class FeePlanAdmin(ReadOnlyAdmin):
    list_display = ("merchant", "currency", "valid_from", "basis_points", "fixed")
    list_select_related = ("merchant",)
    search_fields = ("merchant__code",)


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    list_display = (
        "public_id",
        "merchant",
        "money",
        "fee_money",
        "status",
        "failure_code",
        "reference",
        "gateway",
        "created_at",
        ledger_link,
    )
    list_filter = ("status", "currency", "gateway", "created_at")
    list_select_related = ("merchant", "gateway")
    search_fields = ("public_id", "reference", "gateway_reference", "merchant__code")


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    list_display = (
        "public_id",
        "payment",
        "merchant",
        "money",
        "status",
        "reference",
        "created_at",
        ledger_link,
    )
    list_filter = ("status", "currency", "created_at")
    list_select_related = ("merchant", "payment")
    search_fields = ("public_id", "reference", "payment__public_id", "merchant__code")


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    list_display = (
        "public_id",
        "payment",
        "merchant",
        "money",
        "status",
        "reference",
        "effective_at",
        ledger_link,
    )
    list_filter = ("status", "currency")
    list_select_related = ("merchant", "payment")
    search_fields = ("public_id", "reference", "payment__public_id", "merchant__code")


@admin.register(SimulatedOperation)
class SimulatedOperationAdmin(ReadOnlyAdmin):
    list_display = ("key", "kind", "money", "source", "outcome", "created_at", "reported_on")
    list_filter = ("kind", "outcome", "reported_on")
    search_fields = ("key", "reference")
