"""Back-office screens of the ledger, and the read-only base all floors use."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from ledger.models import Account, AuditEvent, JournalEntry, Posting

POSTINGS_SHOWN_MAX = 200


class ReadOnlyAdmin(ModelAdmin):
    """Shows everything and changes nothing: changes are services, with a reason and an actor."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("code", "owner", "type", "currency", "balance_text", "floor")
    list_filter = ("type", "currency")
    list_select_related = ("balance",)
    search_fields = ("code", "owner", "public_id", "name")
    fields = (
        "code",
        "public_id",
        "owner",
        "name",
        "type",
        "currency",
        "floor",
        "balance_text",
        "created_at",
        "postings",
    )

    @admin.display(description="balance")
    def balance_text(self, account: Account) -> str:
        return account.balance.money.text

    @admin.display(description="latest postings")
    def postings(self, account: Account) -> SafeString:
        return _postings_table(Posting.objects.filter(account=account).order_by("-entry_id"))


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "kind", "reference", "effective_at", "posted_at")
    list_filter = ("kind", "effective_at")
    search_fields = ("public_id", "reference", "idempotency_key")
    fields = (
        "public_id",
        "kind",
        "reference",
        "idempotency_key",
        "effective_at",
        "posted_at",
        "reverses",
        "postings",
    )

    def postings(self, entry: JournalEntry) -> SafeString:
        return _postings_table(Posting.objects.filter(entry=entry).order_by("position"))


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "actor_label", "action", "subject", "reason")
    list_filter = ("action", "actor_kind", "created_at")
    search_fields = ("subject", "actor_label", "reason")


def _postings_table(postings: QuerySet[Posting]) -> SafeString:
    rows = postings.select_related("account", "entry")[:POSTINGS_SHOWN_MAX]
    return render_to_string("admin/ledger/postings.html", {"postings": rows})
