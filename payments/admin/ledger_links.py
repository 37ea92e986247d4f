"""The way from a record to its postings."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from payments.models import Dispute, Payment, Refund, Transfer


@admin.display(description="ledger")
def ledger_link(record: Payment | Refund | Dispute | Transfer) -> str:
    """The journal entries about a record."""
    url = reverse("admin:ledger_journalentry_changelist")
    return format_html('<a href="{}?q={}">entries</a>', url, record.public_id)
