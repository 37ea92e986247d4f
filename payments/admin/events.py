"""What happened, as it was told."""

import json

from django.contrib import admin

from ledger.admin import ReadOnlyAdmin
from payments.models import Event


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "type", "subject", "sequence", "merchant", "created_at")
    list_filter = ("type", "created_at")
    list_select_related = ("merchant",)
    search_fields = ("=public_id", "=subject")
    fields = ("public_id", "type", "subject", "sequence", "merchant", "created_at", "shown", "sent")

    @admin.display(description="data")
    def shown(self, event: Event) -> str:
        return json.dumps(json.loads(event.data), indent=2, ensure_ascii=False)

    @admin.display(description="sent to")
    def sent(self, event: Event) -> str:
        return "\n".join(
            f"{delivery.endpoint}: {delivery.status}"
            for delivery in event.deliveries.select_related("endpoint")
        )
