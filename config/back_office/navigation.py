"""The way around, by what people want to do; what the viewer may not see is left out."""

from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.urls import reverse

from config.back_office.figures import list_url, may_see

# Heading → (label, icon, model) or (label, icon, model, route of a page about it).
WAYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "": (("Today", "today", "", "admin:index"),),
    "Tie out": (
        ("Tie-outs", "balance", "reconciliation.sourceaccount", "tie_outs"),
        ("Discrepancies", "rule", "reconciliation.discrepancy"),
        ("Write-offs", "edit_off", "reconciliation.writeoff"),
        ("Sign-offs", "verified", "reconciliation.signoff"),
        ("Statement files", "upload_file", "reconciliation.statementfile"),
        ("Statement lines", "receipt_long", "reconciliation.statementline"),
        ("Quarantine", "report", "reconciliation.rejectedline"),
        ("Runs", "sync", "reconciliation.reconciliationrun"),
    ),
    "Money in": (
        ("Payments", "payments", "payments.payment"),
        ("Refunds", "undo", "payments.refund"),
        ("Disputes", "gavel", "payments.dispute"),
        ("Transfers", "swap_horiz", "payments.transfer"),
    ),
    "Money out": (
        ("Settlements", "calendar_month", "settlements.settlementbatch"),
        ("Payouts", "outbound", "settlements.payout"),
        ("Payout files", "description", "settlements.payoutfile"),
        ("Merchants", "storefront", "payments.merchant"),
    ),
    "Books": (
        ("Trial balance", "account_balance", "ledger.account", "admin:ledger_trial_balance"),
        ("Accounts", "account_tree", "ledger.account"),
        ("Journal", "menu_book", "ledger.journalentry"),
        ("Periods", "event_available", "ledger.accountingperiod"),
        ("Changes", "published_with_changes", "ledger.changerequest"),
        ("Audit trail", "history", "ledger.auditevent"),
    ),
    "Operation": (
        ("Schedules", "schedule", "payments.jobrun"),
        ("Parked work", "local_parking", "payments.parkedwork"),
        ("Workers", "memory", "payments.heartbeat"),
        ("People", "group", "auth.user"),
    ),
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = [
        {"title": heading, "items": [_item(*way) for way in ways if _is_open(request, way[2])]}
        for heading, ways in WAYS.items()
    ]
    links = [item["link"] for group in groups for item in group["items"]]
    # A page below two of them belongs to the longer one; all are below the first.
    here = max((link for link in links[1:] if request.path.startswith(link)), key=len, default="")
    for group in groups:
        for item in group["items"]:
            item["active"] = item["link"] == (here or request.path)
    return groups


def _item(label: str, icon: str, model: str, route: str = "") -> dict[str, Any]:
    link = reverse(route) if route else list_url(apps.get_model(model))
    return {"title": label, "icon": icon, "link": link}


def _is_open(request: HttpRequest, model: str) -> bool:
    return not model or may_see(request, apps.get_model(model))
