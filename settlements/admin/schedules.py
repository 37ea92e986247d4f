"""The terms merchants are settled by, and what is kept back by them."""

from django.contrib import admin

from ledger.admin import ReadOnlyAdmin
from settlements.models import ReserveHold, SettlementSchedule


@admin.register(SettlementSchedule)
class SettlementScheduleAdmin(ReadOnlyAdmin):
    list_display = (
        "merchant",
        "valid_from",
        "zone",
        "cut_off",
        "interval",
        "holidays",
        "delay_days",
        "reserve_basis_points",
        "created_by",
    )
    list_filter = ("interval", "holidays")
    list_select_related = ("merchant",)
    search_fields = ("merchant__code",)


@admin.register(ReserveHold)
class ReserveHoldAdmin(ReadOnlyAdmin):
    list_display = ("merchant", "money", "held_on", "release_on", "is_released")
    list_filter = ("currency", "release_on")
    list_select_related = ("merchant", "settlement_when_released")
    search_fields = ("merchant__code",)

    @admin.display(boolean=True)
    def is_released(self, hold: ReserveHold) -> bool:
        return hasattr(hold, "settlement_when_released")
