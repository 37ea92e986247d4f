"""Files of processors that show no movements of our balance: why each is not loaded.

Reports that are read elsewhere in this package are told apart from these by their own signature.
"""

import re
from collections.abc import Mapping

from .csv_table import Table
from .records import ImportRefused

# By the names of a CSV's columns.
TABLES: Mapping[frozenset[str], str] = {
    frozenset({"net amount (local)", "transaction reference", "iof"}): (
        "a dLocal transactions report: what is settled of them, and when, is in the settlement"
        " report"
    ),
    frozenset({"payment_service_transaction_id", "captured_amount", "refunded_amount"}): (
        "a payment orchestrator's transactions: what its processors settle is in their reports"
    ),
    frozenset({"id", "amount refunded", "captured", "converted amount"}): (
        "Stripe's list of payments: fees and payouts are in the balance history"
    ),
}
# By what stands in an object of an API's answer.
ANSWERS: Mapping[str, str] = {
    "payout_items": "GoCardless payout items, which name neither currency nor payout",
    "payouts": "GoCardless payouts, which do not say what they consist of",
    "settlements": "Mollie settlements, which total payments by method",
    "periods": "a Mollie settlement, which totals payments by method",
    "utr": "Razorpay settlements, which do not say what they consist of",
    "disbursementDetails": "Braintree transactions before fees, which other reports have",
}
JSON_OPENINGS = (b"{", b"[")

_keys = re.compile(r'"([A-Za-z_]{1,40})"\s*:').finditer


def refuse_answer(head: bytes) -> None:
    """Refuses a file that begins as JSON does: an answer of an API, no report of a processor."""
    names = (found[1] for found in _keys(head.decode("utf-8", errors="replace")))
    what = next((ANSWERS[name] for name in names if name in ANSWERS), "an answer of an API")
    raise ImportRefused("unknown_format", f"JSON: {what}; load the settlement report as CSV")


def refuse_table(table: Table) -> None:
    """Refuses a table that is known to hold no movements of our balance."""
    for names, reason in TABLES.items():
        if all(table.at(name) >= 0 for name in names):
            raise ImportRefused("unknown_format", reason)
