"""What PayPal's transaction event codes (T-codes) mean for the balance.

The two digits behind the T are the group; direction and, in few groups, the last two digits tell
the rest (developer.paypal.com, "Transaction event code reference").
"""

from .records import LineKind

_CHARGES = frozenset({"T00"})
_FEES = frozenset({"T01"})
_WITHDRAWALS = frozenset({"T04"})

_EVENTS = {
    "T1106": LineKind.DISPUTE,  # payment reversal, by PayPal or a card issuer
    "T1107": LineKind.REFUND,
    "T1108": LineKind.FEE,  # fee reversal
    "T1109": LineKind.FEE,  # fee refund
    "T1201": LineKind.DISPUTE,  # chargeback
    "T1202": LineKind.DISPUTE_REVERSAL,
    "T1205": LineKind.DISPUTE_REVERSAL,  # chargeback reimbursed
    "T1207": LineKind.DISPUTE,  # re-presentment rejected
    "T1208": LineKind.DISPUTE_REVERSAL,  # chargeback cancelled
}

# Authorisations and what is shown for information: no money moves.
WITHOUT_MOVEMENT = frozenset({"T13", "T98"})


def kind_of_event(code: str, *, is_credit: bool) -> LineKind:
    """The kind of line that an event is, money coming into our balance (credit) or leaving it.

    A withdrawal that comes back, a payment that we sent, holds, conversions and all that the code
    does not tell are adjustments.
    """
    group, kind = code[:3], _EVENTS.get(code)
    if kind is LineKind.DISPUTE and is_credit:
        return LineKind.DISPUTE_REVERSAL
    if kind is not None:
        return kind
    if group in _CHARGES and is_credit:
        return LineKind.CHARGE
    if group in _WITHDRAWALS and not is_credit:
        return LineKind.PAYOUT
    return LineKind.FEE if group in _FEES else LineKind.ADJUSTMENT


def is_reversal(code: str, *, is_credit: bool) -> bool:
    """Whether the event takes back an earlier line other than a payment."""
    is_returned = code[:3] in _WITHDRAWALS and is_credit
    kind = kind_of_event(code, is_credit=is_credit)
    return is_returned or kind is LineKind.DISPUTE_REVERSAL or code in ("T1108", "T1109")
