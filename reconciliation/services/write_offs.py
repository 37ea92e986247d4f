"""Ending a discrepancy by an entry: one person proposes it, another one agrees to just that."""

from datetime import date

from django.db import transaction
from django.utils import timezone

from ledger.actors import Actor
from ledger.entries import AccountRef, Direction
from ledger.models import Account
from ledger.money import Money
from ledger.services import audit
from ledger.services.posting import post_entry
from ledger.services.reversals import reverse_entry
from ledger.states import move, transition
from reconciliation.bookkeeping import account_of_difference, entry_for_write_off, suspense
from reconciliation.days import start_of
from reconciliation.errors import (
    BookingNotPossible,
    NothingToWriteOff,
    OffOnSeveralAccounts,
    WriteOffNeedsSecondPerson,
    WriteOffOutdated,
)
from reconciliation.locks import keep_runs_away, lock_discrepancy, lock_write_off
from reconciliation.models import Discrepancy, SourceAccount, StatementLine, WriteOff
from reconciliation.open_amounts import OpenAmount, open_amounts
from reconciliation.services.discrepancies import (
    NOT_ENDED,
    known_reason_code,
    refuse_while_written_off,
    stated,
)
from reconciliation.telling import tell_of_discrepancy

Kind = WriteOff.Kind
Status = WriteOff.Status


@transaction.atomic
def propose_write_off(
    discrepancy: Discrepancy,
    *,
    kind: str,
    reason_code: str,
    reason: str,
    actor: Actor,
    counter_account: str = "",
    effective_on: date | None = None,
) -> WriteOff:
    """Ask somebody else to post the entry that ends a discrepancy. Nothing moves yet.

    It is for exactly what the discrepancy leaves open, on the account that is off. The other side
    of an accepted difference or a write-off follows from its kind; a bank line is booked against
    `counter_account`, the code of one of our own accounts (default: suspense). It takes effect on
    `effective_on` (default: the day the discrepancy is counted from), or, if that is in a closed
    period, when the next one begins.

    Raises NothingToWriteOff, OffOnSeveralAccounts, BookingNotPossible, WriteOffStands,
    ReasonCodeUnknown, ReasonMissing, ReasonTooLong and InvalidTransition.
    """
    discrepancy = lock_discrepancy(discrepancy.pk)
    refuse_while_written_off(discrepancy)
    if discrepancy.payout is not None:
        raise BookingNotPossible("the payout is owed to a merchant until it has left or came back")
    off = _what_is_off(discrepancy)
    if kind == Kind.BOOKING:
        _check_is_bank_line(discrepancy)
    elif kind not in Kind.values:
        raise BookingNotPossible(f"{kind[:60]!r} is not one of {', '.join(Kind.values)}")
    elif counter_account:
        raise BookingNotPossible("only a bank line is booked against an account of your choice")
    other = _counter_account(kind, counter_account, off)
    transition(discrepancy, Discrepancy.Status.WRITE_OFF_REQUESTED)
    write_off = WriteOff.objects.create(
        discrepancy=discrepancy,
        kind=kind,
        account=off.account.code,
        direction=_direction(off),
        counter_account=other.code,
        amount=abs(off.effect.amount),
        currency=off.effect.currency,
        effective_on=effective_on or discrepancy.since,
        reason_code=known_reason_code(reason_code),
        reason=stated(reason),
        requested_by=str(actor),
        created_at=timezone.now(),
    )
    _record("write_off.proposed", write_off, actor=actor, reason=reason, after=entry_of(write_off))
    return write_off


@transaction.atomic
def approve_write_off(write_off: WriteOff, *, actor: Actor, reason: str = "") -> WriteOff:
    """The entry that was shown is posted, and the discrepancy is over.

    Waits for the end of a run that matches. Raises WriteOffNeedsSecondPerson, InvalidTransition,
    EntryRefused, ReconciliationUnderWay if a run takes long, and WriteOffOutdated if something
    else is open by now than what was shown.
    """
    keep_runs_away()
    discrepancy, write_off = _locked(write_off)
    if write_off.requested_by == str(actor):
        raise WriteOffNeedsSecondPerson(write_off)
    move(write_off, Status.POSTED)
    off = _still_off(discrepancy, write_off)
    entry = entry_for_write_off(
        write_off,
        off.account,
        _counter_account(write_off.kind, write_off.counter_account, off),
        reference=off.reference,
        effective_at=start_of(write_off.effective_on, discrepancy.source.time_zone),
    )
    # Not last for once: the row keeps the entry's id. Both rows are locked since before.
    write_off.journal_entry = post_entry(entry).public_id
    write_off.decided_by, write_off.decided_at = str(actor), timezone.now()
    write_off.save(update_fields=["status", "journal_entry", "decided_by", "decided_at"])
    transition(
        discrepancy,
        Discrepancy.Status.WRITTEN_OFF,
        resolved_at=write_off.decided_at,
        reason_code=write_off.reason_code,
        resolution=write_off.reason,
        ended_by=str(actor),
    )
    tell_of_discrepancy(discrepancy)
    _record(
        "write_off.approved",
        write_off,
        actor=actor,
        reason=reason,
        after={**entry_of(write_off), "journal_entry": write_off.journal_entry},
    )
    return write_off


@transaction.atomic
def refuse_write_off(write_off: WriteOff, *, actor: Actor, reason: str) -> WriteOff:
    """Nothing is posted, and the discrepancy has to be worked again.

    Raises ReasonMissing, ReasonTooLong and InvalidTransition.
    """
    return _drop(write_off, Status.REFUSED, "write_off.refused", actor=actor, reason=reason)


@transaction.atomic
def withdraw_write_off(write_off: WriteOff, *, actor: Actor, reason: str) -> WriteOff:
    """As if it had not been asked for; whoever asked may do so. Raises what refusing raises."""
    return _drop(write_off, Status.WITHDRAWN, "write_off.withdrawn", actor=actor, reason=reason)


@transaction.atomic
def reverse_write_off(write_off: WriteOff, *, actor: Actor, reason: str) -> WriteOff:
    """Its entry is undone by another one, effective now, and the discrepancy is open again.

    Raises ReasonMissing, ReasonTooLong, InvalidTransition, EntryRefused and ReconciliationUnderWay.
    """
    reason = stated(reason)
    keep_runs_away()
    discrepancy, write_off = _locked(write_off)
    transition(write_off, Status.REVERSED)
    # Evidence opened it already if its line came after all.
    if discrepancy.status == Discrepancy.Status.WRITTEN_OFF:
        transition(discrepancy, Discrepancy.Status.OPEN, **NOT_ENDED)
        tell_of_discrepancy(discrepancy)
    reversal = reverse_entry(write_off.journal_entry, reason=reason, actor=actor)
    _record(
        "write_off.reversed",
        write_off,
        actor=actor,
        reason=reason,
        after={"reversal": reversal.public_id},
    )
    return write_off


def entry_of(write_off: WriteOff) -> dict[str, str]:
    """The entry as people see it before they decide: what is debited, credited, and when."""
    debited, credited = write_off.account, write_off.counter_account
    if write_off.direction == Direction.CREDIT:
        debited, credited = credited, debited
    return {
        "debit": debited,
        "credit": credited,
        "amount": str(write_off.money),
        "effective_on": write_off.effective_on.isoformat(),
    }


def _drop(
    write_off: WriteOff, target: Status, action: str, *, actor: Actor, reason: str
) -> WriteOff:
    reason = stated(reason)
    discrepancy, write_off = _locked(write_off)
    transition(write_off, target, decided_by=str(actor), decided_at=timezone.now())
    is_owned = discrepancy.owner_id is not None
    states = Discrepancy.Status
    transition(discrepancy, states.INVESTIGATING if is_owned else states.OPEN)
    _record(action, write_off, actor=actor, reason=reason)
    return write_off


def _locked(write_off: WriteOff) -> tuple[Discrepancy, WriteOff]:
    discrepancy = lock_discrepancy(write_off.discrepancy_id)
    return discrepancy, lock_write_off(write_off.pk)


def _what_is_off(discrepancy: Discrepancy) -> OpenAmount:
    found = open_amounts(discrepancy)
    if not found:
        raise NothingToWriteOff(discrepancy)
    if len(found) > 1:
        raise OffOnSeveralAccounts(discrepancy, [each.account.code for each in found])
    return found[0]


def _still_off(discrepancy: Discrepancy, write_off: WriteOff) -> OpenAmount:
    """What is off, if that is what the write-off was asked for."""
    found = open_amounts(discrepancy)
    shown = (write_off.account, write_off.direction, write_off.money)
    if [_shown(each) for each in found] != [shown]:
        raise WriteOffOutdated(
            write_off, ", ".join(f"{each.effect} on {each.account.code}" for each in found) or "0"
        )
    return found[0]


def _shown(off: OpenAmount) -> tuple[str, str, Money]:
    money = off.effect if off.effect.amount > 0 else -off.effect
    return off.account.code, _direction(off), money


def _direction(off: OpenAmount) -> Direction:
    """The books say too much of an account, or too little."""
    return Direction.CREDIT if off.effect.amount > 0 else Direction.DEBIT


def _check_is_bank_line(discrepancy: Discrepancy) -> None:
    line = discrepancy.line
    if line is None or line.kind != StatementLine.Kind.ENTRY:
        raise BookingNotPossible("this discrepancy is about no line of a bank")


def _counter_account(kind: str, code: str, off: OpenAmount) -> AccountRef:
    if kind != Kind.BOOKING:
        return account_of_difference(kind, off.effect)
    default = suspense(off.effect.currency)
    if code in ("", default.code):
        return default
    account = Account.objects.filter(owner="", code=code).first()
    if account is None:
        raise BookingNotPossible(f"we have no account {code[:60]!r}")
    if account.currency != off.effect.currency:
        raise BookingNotPossible(f"{code} is in {account.currency}")
    if SourceAccount.objects.filter(ledger_account=account).exists():
        raise BookingNotPossible(
            f"{code} has statements of its own that prove it; book to suspense"
        )
    return account.ref


def _record(
    action: str,
    write_off: WriteOff,
    *,
    actor: Actor,
    reason: str,
    after: dict[str, str] | None = None,
) -> None:
    audit.record(
        action,
        write_off.public_id,
        actor=actor,
        reason=reason,
        after={"discrepancy": write_off.discrepancy.public_id, **(after or {})},
    )
