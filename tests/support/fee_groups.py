"""Payments with fees in a report, and what of them is in the books."""

from datetime import date
from typing import Any

import pytest

from ledger.actors import Actor
from ledger.models import Account
from payments.models import Payment
from reconciliation.invariants import wrong_fees
from reconciliation.models import Match, ReconciliationRun
from reconciliation.selectors import tie_outs
from reconciliation.services.runs import reconcile
from tests.factories import (
    MerchantFactory,
    SucceededPaymentFactory,
    eur,
)
from tests.support.reports import charge, load, report

ANN = Actor("user", "1", "ann@example.com")
WHY = {"reason": "The processor wrote so.", "actor": ANN}
LATER = date(2035, 1, 1)
DAY, NEXT = "2026-03-18 12:00:00", "2026-03-19 12:00:00"


@pytest.fixture(autouse=True)
def all_is_proved(db: None):
    yield
    assert not any(proof.difference for proof in tie_outs(LATER))
    assert wrong_fees() == []


def payments(count: int) -> list[Payment]:
    merchant = MerchantFactory()
    return [
        SucceededPaymentFactory(merchant=merchant, money=eur("100.00"), reference=f"ORDER-{n}")
        for n in range(count)
    ]


def reconciled(processor, paid: list[Payment], *changes: dict[str, Any]) -> ReconciliationRun:
    """Each payment with its line, `txn_0`, `txn_1`, …"""
    more = [*changes, *({} for _ in paid[len(changes) :])]
    rows = [
        charge(payment, f"txn_{n}", **{"created_utc": DAY, **changed})
        for n, (payment, changed) in enumerate(zip(paid, more, strict=True))
    ]
    load(processor, report(*rows))
    return reconcile()


def match_of(name: str) -> Match:
    return Match.objects.get(line__external_id=name)


def expense(currency: str = "EUR") -> str:
    return Account.objects.get(code=f"expense:processing:{currency}").balance.money.text


def fees(*moved: tuple[str, int]) -> list[tuple[str, str, int]]:
    """Lines of an entry: `charged` debits the expense, `given_back` credits it."""
    lines = []
    for way, amount in moved:
        accounts = ["expense:processing:EUR", "clearing:sim:EUR"]
        if way == "given_back":
            accounts.reverse()
        lines += [("debit", accounts[0], amount), ("credit", accounts[1], amount)]
    return lines
