"""The audit trail."""

from typing import Any

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from ledger.admin.base import ReadOnlyAdmin
from ledger.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at",
        "actor_label",
        "action",
        "subject",
        "reason",
        "changes_text",
        "request_id",
    )
    list_filter = ("action", "actor_kind", "created_at")
    search_fields = ("subject", "actor_label", "reason", "request_id")
    fields = (
        "created_at",
        "actor_kind",
        "actor_id",
        "actor_label",
        "action",
        "subject",
        "reason",
        "request_id",
        "changes",
    )

    @admin.display(description="changes")
    def changes_text(self, event: AuditEvent) -> str:
        return "; ".join(
            f"{name}: {before} → {after}" if before else f"{name}: {after}"
            for name, before, after in _changes(event)
        )

    @admin.display(description="before and after")
    def changes(self, event: AuditEvent) -> SafeString:
        return render_to_string("admin/ledger/changes.html", {"changes": _changes(event)})


def _changes(event: AuditEvent) -> list[tuple[str, Any, Any]]:
    """Each field with what it was before and after; "" where it is not told."""
    names = {**event.before, **event.after}
    return [
        (name, _readable(event.before.get(name)), _readable(event.after.get(name)))
        for name in names
    ]


def _readable(value: Any) -> str:
    return "" if value is None else str(value)
