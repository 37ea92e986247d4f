"""What happened, as it was told."""

from django.contrib import admin

from ledger.admin import ReadOnlyAdmin
from payments.models import Event


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "type", "subject", "sequence", "merchant", "created_at")
    list_filter = ("type", "created_at")
    list_select_related = ("merchant",)
    search_fields = ("=public_id", "=subject")
