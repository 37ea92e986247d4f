"""The journal, what is held on accounts, and the seals over it."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from ledger.admin.base import ReadOnlyAdmin
from ledger.models import AuditSeal, ChainedSeal, Hold, JournalEntry, Posting, Seal
from ledger.money import Money

POSTINGS_SHOWN_MAX = 200


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "kind", "reference", "effective_at", "late_from", "posted_at")
    list_filter = ("kind", "effective_at")
    search_fields = ("public_id", "reference", "idempotency_key")
    fields = (
        "public_id",
        "kind",
        "about",
        "idempotency_key",
        "effective_at",
        "late_from",
        "posted_at",
        "reverses",
        "reversed_by",
        "postings",
    )

    @admin.display(description="about")
    def about(self, entry: JournalEntry) -> SafeString:
        """The way back to what the entry is about, and to all entries about it."""
        context = {"reference": entry.reference}
        return render_to_string("admin/ledger/about.html", context)

    def postings(self, entry: JournalEntry) -> SafeString:
        return _postings_table(Posting.objects.filter(entry=entry).order_by("position"))


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    list_display = (
        "public_id",
        "account",
        "reference",
        "amount_text",
        "captured_text",
        "remaining_text",
        "status",
        "expires_at",
    )
    list_filter = ("status", "account__currency", "created_at")
    list_select_related = ("account",)
    search_fields = ("public_id", "reference", "idempotency_key", "account__code")
    fields = (
        "public_id",
        "account",
        "reference",
        "idempotency_key",
        "amount_text",
        "captured_text",
        "remaining_text",
        "status",
        "created_at",
        "expires_at",
        "ended_at",
        "captures",
    )

    @admin.display(description="amount", ordering="amount")
    def amount_text(self, hold: Hold) -> str:
        return str(hold.money)

    @admin.display(description="captured")
    def captured_text(self, hold: Hold) -> str:
        return str(Money(hold.captured, hold.account.currency))

    @admin.display(description="still held")
    def remaining_text(self, hold: Hold) -> str:
        return str(hold.remaining)

    @admin.display(description="postings of its captures")
    def captures(self, hold: Hold) -> SafeString:
        postings = Posting.objects.filter(entry__capture_of__hold=hold)
        return _postings_table(postings.order_by("entry_id", "position"))


class ChainedSealAdmin(ReadOnlyAdmin):
    list_display = ("number", "first_entry_id", "last_entry_id", "entry_count", "sealed_at")
    list_filter = ("sealed_at",)
    search_fields = ("=number",)
    fields = (
        "number",
        "first_entry_id",
        "last_entry_id",
        "entry_count",
        "merkle_root_text",
        "previous_hash_text",
        "hash_text",
        "horizon",
        "sealed_at",
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ChainedSeal], search_term: str
    ) -> tuple[QuerySet[ChainedSeal], bool]:
        """By the number of a seal; anything else finds none."""
        if not search_term:
            return queryset, False
        is_number = search_term.isascii() and search_term.isdigit() and len(search_term) < 19
        return (queryset.filter(pk=search_term) if is_number else queryset.none()), False

    @admin.display(description="Merkle root")
    def merkle_root_text(self, seal: ChainedSeal) -> str:
        return bytes(seal.merkle_root).hex()

    @admin.display(description="hash of the seal before")
    def previous_hash_text(self, seal: ChainedSeal) -> str:
        return bytes(seal.previous_hash).hex()

    @admin.display(description="hash")
    def hash_text(self, seal: ChainedSeal) -> str:
        return bytes(seal.hash).hex()


def _postings_table(postings: QuerySet[Posting]) -> SafeString:
    rows = postings.select_related("account", "entry")[:POSTINGS_SHOWN_MAX]
    return render_to_string("admin/ledger/postings.html", {"postings": rows})


@admin.register(Seal)
class SealAdmin(ChainedSealAdmin):
    """Of the journal."""


@admin.register(AuditSeal)
class AuditSealAdmin(ChainedSealAdmin):
    """Of the audit trail."""
