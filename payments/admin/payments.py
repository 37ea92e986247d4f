"""Payments, refunds and disputes."""

from django.contrib import admin

from ledger.admin import ReadOnlyAdmin
from payments.admin.ledger_links import ledger_link
from payments.admin.outcomes import WORK_FIELDS, OutcomeAdmin, OutcomeFilter
from payments.admin.taken import TakenFilter
from payments.models import Dispute, Payment, Refund


@admin.register(Payment)
class PaymentAdmin(OutcomeAdmin):
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
        "unknown_for",
        ledger_link,
    )
    list_filter = (OutcomeFilter, TakenFilter, "status", "currency", "gateway", "created_at")
    list_select_related = ("merchant", "gateway")
    search_fields = ("public_id", "reference", "gateway_reference", "merchant__code")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    *("public_id", "merchant", "reference", "description", "metadata"),
                    *("status", "failure_code", "failure_reason", "money", "capture"),
                    *("captured_money", "amount_to_capture", "refundable", "fee_money"),
                    *("authorized_until", "cancel_requested_at", "source", "idempotency_key"),
                    *("created_by", "created_at", "updated_at", "effective_at"),
                )
            },
        ),
        ("Gateway", {"fields": ("gateway", "gateway_reference", *WORK_FIELDS)}),
        (
            "Settlement",
            {
                "fields": (
                    *("is_settled_elsewhere", "settlement_currency", "settlement_due_on"),
                    *("processor_fee_expected", "processor_fee_currency"),
                )
            },
        ),
    )


@admin.register(Refund)
class RefundAdmin(OutcomeAdmin):
    list_display = (
        "public_id",
        "payment",
        "merchant",
        "money",
        "status",
        "reference",
        "created_at",
        "unknown_for",
        ledger_link,
    )
    list_filter = (OutcomeFilter, "status", "currency", "created_at")
    list_select_related = ("merchant", "payment")
    search_fields = ("public_id", "reference", "payment__public_id", "merchant__code")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    *("public_id", "payment", "merchant", "reference", "reason", "money"),
                    *("status", "failure_code", "failure_reason", "idempotency_key"),
                    *("created_by", "created_at", "updated_at", "effective_at"),
                )
            },
        ),
        ("Gateway", {"fields": ("gateway_reference", *WORK_FIELDS)}),
        (
            "Settlement",
            {
                "fields": (
                    *("settlement_currency", "settlement_due_on"),
                    *("processor_fee_expected", "processor_fee_currency"),
                )
            },
        ),
    )


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
