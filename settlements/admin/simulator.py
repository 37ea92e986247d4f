"""The simulated bank's journal."""

from django.contrib import admin

from ledger.admin import ReadOnlyAdmin
from settlements.models import SimulatedBankEntry


@admin.register(SimulatedBankEntry)
class SimulatedBankEntryAdmin(ReadOnlyAdmin):
    list_display = ("name", "account", "money", "booked_on", "counterparty", "text", "stated_on")
    list_filter = ("currency", "booked_on")
    search_fields = ("end_to_end_id", "counterparty", "text")
