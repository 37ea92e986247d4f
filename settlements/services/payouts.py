"""Agreeing to what is due to merchants, and what became of it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ledger.actors import Actor
from ledger.entries import AccountRef
from ledger.errors import DomainError
from ledger.services import audit
from ledger.services.posting import post_all
from ledger.states import move, transition
from settlements.bookkeeping import (
    entry_for_payout_canceled,
    entry_for_payout_rejected,
    entry_for_payout_returned,
)
from settlements.errors import (
    ApprovalNeedsPerson,
    ApproverIsRequester,
    BankAccountChanging,
    PayoutInFile,
)
from settlements.locks import lock_payouts
from settlements.models import Payout, SettlementBatch
from settlements.selectors import changing_accounts
from settlements.telling import tell_of_payouts

Status = Payout.Status


@dataclass(frozen=True, slots=True)
class Approvals:
    """What became of many payouts at once; a refusal of one does not hold up the others."""

    approved: list[Payout]
    refused: list[tuple[Payout, DomainError]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A payout the bank would not carry out, by our id, and why: ISO 20022 external code."""

    payout_id: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class PayoutReturn:
    """A paid payout whose whole amount came back, by our id.

    `bank_account` is the account it came to, `reference` the public id of the bank's line, and
    `effective_at` the moment that line counts from, as for everything else on the statement.
    """

    payout_id: int
    returned_on: date
    bank_account: AccountRef
    reference: str
    effective_at: datetime
    code: str = ""
    reason: str = ""


@transaction.atomic
def approve_payout(payout: Payout, *, actor: Actor, reason: str = "") -> Payout:
    """The payout may go to the bank.

    Raises ApproverIsRequester, ApprovalNeedsPerson for what the platform itself may not approve,
    BankAccountChanging while the merchant's account is, and InvalidTransition.
    """
    approvals = approve_payouts([payout], actor=actor, reason=reason)
    for _, refusal in approvals.refused:
        raise refusal
    return approvals.approved[0]


@transaction.atomic
def approve_payouts(payouts: Iterable[Payout], *, actor: Actor, reason: str = "") -> Approvals:
    """Those of the payouts that may go to the bank; the others are told with their refusals."""
    locked = lock_payouts(payout.pk for payout in payouts)
    changing = changing_accounts(locked)
    again = _approved_again(locked)
    result = Approvals([], [])
    for payout in locked:
        try:
            if (payout.merchant_id, payout.currency) in changing:
                raise BankAccountChanging(payout.merchant, payout.currency)
            if payout.requested_by == str(actor):
                raise ApproverIsRequester(payout)
            if actor.kind == "system" and (payout.pk in again or not _is_small(payout)):
                raise ApprovalNeedsPerson(payout)
            move(payout, Status.APPROVED)
        except DomainError as refusal:
            result.refused.append((payout, refusal))
        else:
            payout.approved_by = str(actor)
            result.approved.append(payout)
    audit.record_all(
        audit.event_of("payout.approved", payout.public_id, actor=actor, reason=reason)
        for payout in result.approved
    )
    _save(result.approved, ["status", "approved_by"])
    _move_batches(result.approved, SettlementBatch.Status.CLOSED)
    tell_of_payouts(result.approved, at=timezone.now())
    return result


def approve_small_payouts(*, actor: Actor) -> Approvals:
    """Let the platform itself approve what PAYOUT_APPROVAL_THRESHOLD leaves to it."""
    small = [
        payout
        for payout in Payout.objects.filter(
            status=Status.PENDING_APPROVAL, currency__in=settings.PAYOUT_APPROVAL_THRESHOLD
        )
        if _is_small(payout)
    ]
    again = _approved_again(small)
    return approve_payouts((each for each in small if each.pk not in again), actor=actor)


def _is_small(payout: Payout) -> bool:
    return payout.amount < settings.PAYOUT_APPROVAL_THRESHOLD.get(payout.currency, 0)


def _approved_again(payouts: Sequence[Payout]) -> set[int]:
    """Those whose batch had another payout before, which came to nothing."""
    batches = {payout.batch_id: payout.pk for payout in payouts}
    rows = Payout.objects.filter(batch__in=batches).values_list("batch_id", "pk")
    return {batches[batch_id] for batch_id, pk in rows if pk != batches[batch_id]}


@transaction.atomic
def cancel_payout(payout: Payout, *, actor: Actor, reason: str) -> Payout:
    """The payout never leaves; its money is payable again and joins the merchant's next batch.

    Raises InvalidTransition, PayoutInFile and ReasonMissing.
    """
    (locked,) = lock_payouts([payout.pk])
    live = locked.attempts.filter(is_live=True).select_related("file").first()
    if locked.status == Status.APPROVED and live is not None:
        raise PayoutInFile(locked, live.file)
    now = timezone.now()
    transition(locked, Status.CANCELED, canceled_at=now)
    _move_batches([locked], SettlementBatch.Status.FAILED)
    audit.record("payout.canceled", locked.public_id, actor=actor, reason=audit.required(reason))
    tell_of_payouts([locked], at=now)
    post_all([entry_for_payout_canceled(locked, now)])
    return locked


def mark_paid(payouts_paid_on: dict[int, date]) -> None:
    """Set payouts, given by id, and their batches to PAID. The caller posts the entry."""
    payouts = lock_payouts(payouts_paid_on)
    for payout in payouts:
        transition(payout, Status.PAID, paid_on=payouts_paid_on[payout.pk])
        transition(payout.batch, SettlementBatch.Status.PAID)
    tell_of_payouts(payouts, at=timezone.now())


def mark_unpaid(payout_id: int) -> None:
    """The bank's line was not about this payout: it is on its way still. The caller reverses.

    Raises InvalidTransition if it came back by now.
    """
    (payout,) = lock_payouts([payout_id])
    transition(payout, Status.SENT, paid_on=None)
    transition(payout.batch, SettlementBatch.Status.CLOSED)
    tell_of_payouts([payout], at=timezone.now())


@transaction.atomic
def mark_rejected(refusals: Sequence[Refusal], *, actor: Actor) -> list[Payout]:
    """The bank refused these payouts: each is REJECTED, and a new one for its batch is due.

    Returns the new ones, which somebody else than `actor` has to approve. Raises InvalidTransition
    for a payout that is not SENT.
    """
    by_id = {refusal.payout_id: refusal for refusal in refusals}
    payouts, now = lock_payouts(by_id), timezone.now()
    for payout in payouts:
        move(payout, Status.REJECTED)
        payout.failure_code = by_id[payout.pk].code
        payout.failure_reason = by_id[payout.pk].reason
    _save(payouts, ["status", "failure_code", "failure_reason"])
    _move_batches(payouts, SettlementBatch.Status.FAILED)
    again = _due_again(payouts, actor=actor)
    post_all([entry_for_payout_rejected(payout, now) for payout in payouts])
    return again


@transaction.atomic
def mark_returned(returns: Sequence[PayoutReturn], *, actor: Actor) -> list[Payout]:
    """These payouts came back: each is RETURNED with its entry, and a new one is due.

    Returns the new ones, which somebody else than `actor` has to approve. Raises InvalidTransition
    for a payout that is not PAID: the debit is marked first, also of the same statement. Posts, so
    it comes last in its transaction.
    """
    by_id = {each.payout_id: each for each in returns}
    payouts = lock_payouts(by_id)
    entries = []
    for payout in payouts:
        returned = by_id[payout.pk]
        move(payout, Status.RETURNED)
        payout.returned_on = returned.returned_on
        payout.failure_code, payout.failure_reason = returned.code, returned.reason
        entries.append(
            entry_for_payout_returned(
                payout,
                returned.bank_account,
                reference=returned.reference,
                effective_at=returned.effective_at,
            )
        )
    _save(payouts, ["status", "returned_on", "failure_code", "failure_reason"])
    _move_batches(payouts, SettlementBatch.Status.FAILED)
    again = _due_again(payouts, actor=actor)
    post_all(entries)
    return again


def _save(payouts: Sequence[Payout], fields: Sequence[str]) -> None:
    """Write these fields: a statement for all payouts in which they are the same."""
    alike = defaultdict(list)
    for payout in payouts:
        alike[tuple(getattr(payout, name) for name in fields)].append(payout.pk)
    for values, pks in alike.items():
        Payout.objects.filter(pk__in=pks).update(**dict(zip(fields, values, strict=True)))


def _move_batches(payouts: Sequence[Payout], status: SettlementBatch.Status) -> None:
    """Their batches say whether something of them is on its way (CLOSED) or nothing is (FAILED)."""
    batches = {payout.batch_id: payout.batch for payout in payouts}
    others = [batch for batch in batches.values() if batch.status != status]
    for batch in others:
        move(batch, status)
    pks = [batch.pk for batch in others]
    SettlementBatch.objects.filter(pk__in=pks).update(status=status)


def _due_again(payouts: Sequence[Payout], *, actor: Actor) -> list[Payout]:
    """A payout for each of these that came to nothing, which somebody has to agree to anew."""
    now = timezone.now()
    again = Payout.objects.bulk_create(
        [
            Payout(
                batch=payout.batch,
                merchant=payout.merchant,
                currency=payout.currency,
                amount=payout.amount,
                requested_by=str(actor),
                created_at=now,
            )
            for payout in payouts
        ]
    )
    tell_of_payouts([*payouts, *again], at=now)
    audit.record_all(
        audit.event_of(
            f"payout.{payout.status.lower()}",
            payout.public_id,
            actor=actor,
            reason=f"{payout.failure_code} {payout.failure_reason}",
            after={"due_again": new.public_id},
        )
        for payout, new in zip(payouts, again, strict=True)
    )
    return again
