"""Back-office screens that only show what there is."""

from django.contrib import admin

from ledger.admin import ReadOnlyAdmin
from reconciliation.models import (
    DiscrepancyNote,
    FeeGroup,
    FxRate,
    ProcessorPayout,
    Statement,
    StatementLine,
    UndoneMatch,
)


@admin.register(ProcessorPayout)
class ProcessorPayoutAdmin(ReadOnlyAdmin):
    list_display = ("external_id", "source_account", "money", "due_on")
    list_filter = ("currency", "due_on")
    list_select_related = ("source_account__source",)
    search_fields = ("external_id",)


@admin.register(Statement)
class StatementAdmin(ReadOnlyAdmin):
    list_display = (
        "source_account",
        "identifier",
        "sequence",
        "first_day",
        "last_day",
        "opening_balance",
        "closing_balance",
        "line_count",
        "known_count",
        "contradictions",
    )
    list_filter = ("source_account__source", "last_day")
    list_select_related = ("source_account__source",)
    search_fields = ("identifier", "source_account__identifier")


@admin.register(StatementLine)
class StatementLineAdmin(ReadOnlyAdmin):
    list_display = (
        "public_id",
        "source_account",
        "kind",
        "net_money",
        "booked_on",
        "reference",
        "external_id",
        "counterparty",
    )
    list_filter = ("source_account__source", "kind", "booked_on")
    list_select_related = ("source_account__source",)
    search_fields = ("external_id", "reference", "payout_id", "text", "counterparty")


@admin.register(FxRate)
class FxRateAdmin(ReadOnlyAdmin):
    list_display = ("date", "base", "quote", "rate")
    list_filter = ("base", "quote")
    search_fields = ("base", "quote")


@admin.register(FeeGroup)
class FeeGroupAdmin(ReadOnlyAdmin):
    list_display = (*("public_id", "source_account", "booked_on", "match_count", "money", "run"),)
    list_filter = ("source_account__source", "booked_on")
    list_select_related = ("source_account__source", "run")
    search_fields = ("public_id", "run__public_id")


@admin.register(UndoneMatch)
class UndoneMatchAdmin(ReadOnlyAdmin):
    list_display = ("kind", "line", "amount", "rule", "undone_by", "reason", "undone_at")
    list_filter = ("kind", "rule")
    list_select_related = ("line__source_account__source",)
    search_fields = ("undone_by", "reason", "line__reference")


@admin.register(DiscrepancyNote)
class DiscrepancyNoteAdmin(ReadOnlyAdmin):
    list_display = ("discrepancy", "author", "text", "created_at")
    list_select_related = ("discrepancy",)
    search_fields = ("author", "text", "discrepancy__public_id", "discrepancy__reference")
