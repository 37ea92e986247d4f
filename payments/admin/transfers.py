"""Transfers, and the proofs of single accounts."""

from django.contrib import admin

from ledger.admin import ReadOnlyAdmin
from payments.admin.ledger_links import ledger_link
from payments.models import AccountReport, Transfer


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    list_display = (
        "public_id",
        "merchant",
        "source_account",
        "destination_account",
        "money",
        "status",
        "failure_code",
        ledger_link,
        "created_at",
    )
    list_filter = ("status", "currency")
    list_select_related = ("merchant", "source_account", "destination_account")
    search_fields = ("=public_id", "=idempotency_key", "=journal_entry")


@admin.register(AccountReport)
class AccountReportAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "account", "starts_on", "ends_on", "is_balanced", "created_at")
    list_filter = ("is_balanced",)
    list_select_related = ("account",)
    search_fields = ("=public_id", "account__code")
