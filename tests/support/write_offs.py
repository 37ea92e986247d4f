"""Discrepancies of each kind, and people who write them off."""

from datetime import date

from ledger.actors import Actor
from reconciliation.models import Discrepancy, WriteOff
from reconciliation.selectors import tie_outs
from reconciliation.services.runs import reconcile
from reconciliation.services.write_offs import (
    approve_write_off,
    propose_write_off,
)
from tests.factories import MerchantFactory, SucceededPaymentFactory, eur
from tests.support.reports import (
    DAY,
    bank_of,
    load,
    payout_row,
    report,
)

MAKER = Actor("user", "1", "maker@example.com")
CHECKER = Actor("user", "2", "checker@example.com")
WHY = {"reason_code": "other", "reason": "Asked, and nobody knows."}
LATER = date(2035, 1, 1)


def propose(discrepancy: Discrepancy, kind: str = "write_off", **more) -> WriteOff:
    return propose_write_off(discrepancy, kind=kind, actor=MAKER, **{**WHY, **more})


def written_off(discrepancy: Discrepancy, kind: str = "write_off", **more) -> WriteOff:
    return approve_write_off(propose(discrepancy, kind, **more), actor=CHECKER)


def unexplained(sources, amount: str = "-25.00") -> Discrepancy:
    bank = bank_of()
    bank.book(eur(amount), counterparty="Office Rent GmbH", text="RENT")
    load(sources[1], bank.statement())
    reconcile(as_of=DAY)
    return Discrepancy.objects.get(type="unexplained_bank_line")


def missing(sources) -> Discrepancy:
    """A payment of 100.00 that no report shows."""
    payment = SucceededPaymentFactory(merchant=MerchantFactory(), money=eur("100.00"))
    load(sources[0], report(payout_row("po_000001", "1.00", day=payment.settlement_due_on)))
    reconcile(as_of=payment.settlement_due_on)
    return Discrepancy.objects.get(type="missing_settlement")


def items(source) -> list[tuple[str, str]]:
    """Open items of the source's accounts, once every one of them is shown to tie out."""
    proofs = tie_outs(LATER, source=source)
    assert not any(proof.difference for proof in proofs)
    return [(item.name, item.effect.text) for proof in proofs for item in proof.open_items]
