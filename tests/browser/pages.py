"""The pages people look at most, by name."""

from django.urls import reverse

from ledger.models import JournalEntry
from payments.models import Payment
from reconciliation.models import Discrepancy, SourceAccount, StatementFile
from settlements.models import SettlementBatch


def main_pages() -> dict[str, str]:
    """Name → path; call it once there are records."""
    euros = SourceAccount.objects.get(source__code="simbank", currency="EUR")
    entry = JournalEntry.objects.filter(kind="payment").first() or JournalEntry.objects.first()
    return {
        "landing": reverse("admin:index"),
        "discrepancies": f"{_list('reconciliation_discrepancy')}?work=open",
        "discrepancy": _page(
            "reconciliation_discrepancy", Discrepancy.objects.get(type="amount_mismatch")
        ),
        "payments": _list("payments_payment"),
        "payment": _page("payments_payment", Payment.objects.filter(status="SUCCEEDED").first()),
        "account": _page("ledger_account", euros.ledger_account),
        "journal entry": _page("ledger_journalentry", entry),
        "tie-out": reverse("admin:reconciliation_sourceaccount_tie_out", args=[euros.pk]),
        "statement file": _page("reconciliation_statementfile", StatementFile.objects.first()),
        "settlement batch": _page("settlements_settlementbatch", SettlementBatch.objects.first()),
    }


def _list(name: str) -> str:
    return reverse(f"admin:{name}_changelist")


def _page(name: str, record: object) -> str:
    return reverse(f"admin:{name}_change", args=[record.pk])
