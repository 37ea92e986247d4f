"""Setting money aside, taking it, giving it back: two-phase movements of one account.

While a hold is HELD, what is left of it is pending and not available to anything else. Whatever
happens to it happens once: each service locks the hold, then balances.
"""

from collections import Counter
from dataclasses import replace
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from ledger.actors import Actor
from ledger.entries import DEBIT_NORMAL, AccountRef, Entry, Release
from ledger.errors import Conflict, Invalid, NotFound
from ledger.locks import lock_balance, lock_hold
from ledger.models import Account, AccountBalance, Hold, HoldCapture, JournalEntry
from ledger.money import AMOUNT_MAX, Money
from ledger.services import audit
from ledger.services.accounts import open_account
from ledger.services.posting import Status, post_entry
from ledger.states import move, transition

HOLDS_PER_EXPIRY = 1_000


class HoldNotFound(NotFound):
    code = "hold_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such hold.")


class InsufficientFunds(Conflict):
    code = "insufficient_funds"

    def __init__(self, account: Account) -> None:
        super().__init__(f"The balance of {account} does not allow this.")


class HoldClash(Conflict):
    code = "idempotency_conflict"

    def __init__(self, key: str) -> None:
        super().__init__(f"Another hold was already placed under the key {key}.")


class HoldEnded(Conflict):
    code = "hold_ended"

    def __init__(self, hold: Hold) -> None:
        super().__init__(f"{hold} is {hold.status}; nothing is held any more.")


class HoldExpired(Conflict):
    code = "hold_expired"

    def __init__(self, hold: Hold) -> None:
        super().__init__(f"{hold} could be captured until {hold.expires_at:%Y-%m-%d %H:%M:%S} UTC.")


class CaptureExceedsHold(Conflict):
    code = "capture_exceeds_hold"

    def __init__(self, hold: Hold, asked: Money) -> None:
        super().__init__(f"{hold} has {hold.remaining} left; {asked} was asked.")


class CaptureOfAnotherAccount(Invalid):
    code = "capture_of_another_account"

    def __init__(self, hold: Hold) -> None:
        super().__init__(f"The entry takes nothing from {hold.account}, which {hold} is on.")


@transaction.atomic
def place_hold(
    account: AccountRef,
    money: Money,
    *,
    idempotency_key: str,
    reference: str,
    expires_at: datetime | None = None,
) -> Hold:
    """Set an amount of an account aside; repeating it returns the same hold.

    Raises InsufficientFunds if it would bring what is available under the account's floor,
    HoldClash if the key belongs to another hold; then nothing has changed.
    """
    if not 0 < money.amount <= AMOUNT_MAX or money.currency != account.currency:
        raise Invalid(f"{money} cannot be held on {account.code}.")
    row = open_account(account)
    balance = lock_balance(row.pk)
    row.refresh_from_db(fields=["floor"])  # who changes it locks the balance too
    known = Hold.objects.filter(idempotency_key=idempotency_key).first()
    if known is not None:
        wish = (row.pk, money.amount, reference, expires_at)
        if (known.account_id, known.amount, known.reference, known.expires_at) != wish:
            raise HoldClash(idempotency_key)
        return known
    if row.floor is not None and (balance.available_money - money).amount < row.floor:
        raise InsufficientFunds(row)
    try:
        with transaction.atomic():
            hold = Hold.objects.create(
                idempotency_key=idempotency_key,
                account=row,
                reference=reference,
                amount=money.amount,
                expires_at=expires_at,
            )
    except IntegrityError:  # placed on another account since we looked
        raise HoldClash(idempotency_key) from None
    _add_pending(row, money.amount)
    return hold


@transaction.atomic
def capture_hold(public_id: str, entry: Entry, *, is_final: bool = False) -> HoldCapture:
    """Post an entry that takes money a hold has set aside; a final one gives the rest back.

    May be called again until nothing is left; the same entry again is the same capture. Raises
    HoldNotFound, HoldEnded, HoldExpired, CaptureExceedsHold, CaptureOfAnotherAccount, and
    EntryRefused if the entry cannot be posted; then nothing has changed.
    """
    hold = _locked(public_id)
    known = _capture_by(entry.idempotency_key)
    if known is not None:
        post_entry(entry)  # refuses another entry under the same key
        if known.hold_id != hold.pk:
            raise HoldClash(entry.idempotency_key)
        return known
    _ensure_held(hold)
    if hold.expires_at is not None and hold.expires_at <= timezone.now():
        raise HoldExpired(hold)
    taken = _taken_by(entry, hold)
    if taken > hold.remaining:
        raise CaptureExceedsHold(hold, taken)
    is_last = is_final or taken == hold.remaining
    released = hold.remaining if is_last else taken
    release = Release(hold.account.ref, released.amount)
    posted = post_entry(replace(entry, releases=(release,)))
    if posted.status != Status.POSTED:  # by somebody else since we looked, who released nothing
        raise HoldClash(entry.idempotency_key)
    assert posted.entry_id is not None
    hold.captured += taken.amount
    if is_last:
        move(hold, Hold.Status.CAPTURED)
        hold.ended_at = timezone.now()
    hold.save(update_fields=["captured", "status", "ended_at"])
    return HoldCapture.objects.create(hold=hold, entry_id=posted.entry_id, amount=taken.amount)


@transaction.atomic
def void_hold(public_id: str, *, actor: Actor, reason: str = "") -> Hold:
    """Give back what a hold still keeps. Raises HoldNotFound, HoldEnded."""
    hold = _locked(public_id)
    _ensure_held(hold)
    released = hold.remaining
    transition(hold, Hold.Status.VOIDED, ended_at=timezone.now())
    _add_pending(hold.account, -released.amount)
    audit.record(
        "hold.voided",
        hold.public_id,
        actor=actor,
        reason=reason,
        after={"released": str(released)},
    )
    return hold


@transaction.atomic
def expire_holds(*, now: datetime | None = None) -> int:
    """Give back what holds still keep whose time is over; how many, at most HOLDS_PER_EXPIRY."""
    now = now or timezone.now()
    due = list(
        Hold.objects.select_related("account")
        .select_for_update(of=("self",), skip_locked=True)
        .filter(status=Hold.Status.HELD, expires_at__lte=now)
        .order_by("expires_at", "pk")[:HOLDS_PER_EXPIRY]
    )
    released: Counter[Account] = Counter()
    for hold in due:
        released[hold.account] += hold.remaining.amount
        transition(hold, Hold.Status.EXPIRED, ended_at=now)
    # As posting locks them: those with a floor first, then by id.
    for account in sorted(released, key=lambda account: (account.floor is None, account.pk)):
        _add_pending(account, -released[account])
    return len(due)


def _locked(public_id: str) -> Hold:
    hold = lock_hold(public_id)
    if hold is None:
        raise HoldNotFound()
    return hold


def _ensure_held(hold: Hold) -> None:
    if hold.status != Hold.Status.HELD:
        raise HoldEnded(hold)


def _capture_by(idempotency_key: str) -> HoldCapture | None:
    """The capture whose entry has this key. Raises HoldClash if that entry captured nothing."""
    entry = JournalEntry.objects.filter(idempotency_key=idempotency_key).first()
    if entry is None:
        return None
    capture = HoldCapture.objects.filter(entry=entry).first()
    if capture is None:
        raise HoldClash(idempotency_key)
    return capture


def _taken_by(entry: Entry, hold: Hold) -> Money:
    """How much the entry takes from the hold's account."""
    account = hold.account
    change = sum(line.signed_amount for line in entry.lines if line.account.key == account.ref.key)
    taken = Money(-change if account.type in DEBIT_NORMAL else change, account.currency)
    if taken.amount <= 0:
        raise CaptureOfAnotherAccount(hold)
    return taken


def _add_pending(account: Account, amount: int) -> None:
    column = "pending_credits" if account.type in DEBIT_NORMAL else "pending_debits"
    AccountBalance.objects.filter(account=account).update(**{column: F(column) + amount})
