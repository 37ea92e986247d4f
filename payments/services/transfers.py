"""Moving money between two accounts of one merchant."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from ledger import sql
from ledger.actors import Actor
from ledger.entries import Entry
from ledger.errors import Conflict, Invalid
from ledger.models import Account
from ledger.money import Money
from ledger.services.posting import Result, Status, post_entries
from ledger.states import move
from payments import work
from payments.bookkeeping import entry_for_transfer, entry_for_transfer_refund
from payments.errors import IdempotencyMismatch
from payments.events import Fact, tell
from payments.locks import lock_transfers
from payments.models import Merchant, Transfer
from payments.representations import represent_transfer
from payments.services.engine import Trade, work_off_batch

FAILURE_REASON_LENGTH_MAX = 255


class SameAccount(Invalid):
    code = "same_account"

    def __init__(self, account: Account) -> None:
        super().__init__(f"{account} is both the source and the destination.")


class AccountCurrencyMismatch(Invalid):
    code = "currency_mismatch"

    def __init__(self, source: Account, destination: Account) -> None:
        super().__init__(
            f"{source} is in {source.currency} and {destination} in {destination.currency}; a"
            " transfer has one currency."
        )


class TransferNotRefundable(Conflict):
    code = "transaction_not_refundable"

    def __init__(self, transfer: Transfer) -> None:
        what = "a refund itself" if transfer.refund_of_id else transfer.status
        super().__init__(f"{transfer} is {what}; only a completed transfer can be refunded.")


class RefundExceedsTransfer(Invalid):
    code = "amount_exceeds_refundable"

    def __init__(self, transfer: Transfer, asked: Money) -> None:
        super().__init__(f"{transfer} has {transfer.refundable} left to refund; {asked} was asked.")


class EntryDiffers(Exception):
    """Somebody posted something else under the key of this transfer's entry."""

    def __init__(self, transfer: Transfer) -> None:
        super().__init__(f"The journal has another entry under the key of {transfer}.")


@dataclass(frozen=True, slots=True)
class TransferWish:
    """From where to where, and how much."""

    source: Account
    destination: Account
    money: Money
    metadata: dict[str, Any] = field(default_factory=dict)


def create_transfer(
    merchant: Merchant, wish: TransferWish, *, idempotency_key: str, actor: Actor
) -> Transfer:
    """Write the transfer down as ACCEPTED, due at once. Nothing has moved yet.

    Raises SameAccount, AccountCurrencyMismatch, Invalid for an amount that is not positive, and
    IdempotencyMismatch for a key that made a transfer before; then nothing has changed.
    """
    if wish.source == wish.destination:
        raise SameAccount(wish.source)
    if wish.source.currency != wish.destination.currency:
        raise AccountCurrencyMismatch(wish.source, wish.destination)
    if wish.money.currency != wish.source.currency:
        raise Invalid(f"{wish.source} is in {wish.source.currency}; {wish.money} was asked.")
    if wish.money.amount <= 0:
        raise Invalid("The amount must be more than zero.")
    return _write_down(
        Transfer(
            merchant=merchant,
            idempotency_key=idempotency_key,
            source_account=wish.source,
            destination_account=wish.destination,
            amount=wish.money.amount,
            currency=wish.money.currency,
            metadata=wish.metadata,
            created_by=str(actor),
        ),
        idempotency_key,
    )


@transaction.atomic
def refund_transfer(
    transfer: Transfer,
    *,
    idempotency_key: str,
    actor: Actor,
    money: Money | None = None,
    reason: str = "",
) -> Transfer:
    """Write down a transfer back, of all that is left unless `money` says how much.

    It counts against what is refundable from now on, and no longer if it fails. Raises
    TransferNotRefundable, RefundExceedsTransfer, Invalid for an amount that is not positive, and
    IdempotencyMismatch; then nothing has changed.
    """
    (original,) = lock_transfers([transfer.pk])
    if original.status != Transfer.Status.COMPLETED or original.refund_of_id is not None:
        raise TransferNotRefundable(original)
    wished = original.refundable if money is None else money
    if money is not None and money.amount <= 0:
        raise Invalid("The amount must be more than zero.")
    if wished.amount <= 0 or wished > original.refundable:
        raise RefundExceedsTransfer(original, wished)
    refund = _write_down(
        Transfer(
            merchant_id=original.merchant_id,
            idempotency_key=_key_of_refund(idempotency_key),
            source_account=original.destination_account,
            destination_account=original.source_account,
            amount=wished.amount,
            currency=wished.currency,
            refund_of=original,
            reason=reason,
            created_by=str(actor),
        ),
        idempotency_key,
    )
    Transfer.objects.filter(pk=original.pk).update(
        amount_refunded=F("amount_refunded") + wished.amount, updated_at=timezone.now()
    )
    original.amount_refunded += wished.amount
    return refund


def _key_of_refund(idempotency_key: str) -> str:
    """What a refund's row keeps: a merchant may use one key for a transfer and for a refund.

    No merchant's key has a space in it.
    """
    return f"refund {hashlib.sha256(idempotency_key.encode()).hexdigest()}"


def _write_down(transfer: Transfer, idempotency_key: str) -> Transfer:
    transfer.created_at = transfer.due_at = timezone.now()
    try:
        with transaction.atomic():
            transfer.save(force_insert=True)
    except IntegrityError as refusal:
        if "payments_transfer_once_per_key" in str(refusal):
            raise IdempotencyMismatch(idempotency_key) from refusal
        raise
    return transfer


def process_transfers(limit: int = work.BATCH_SIZE_MAX) -> int:
    """Post one batch of due transfers; returns how many it took.

    Each is COMPLETED with its entry, or FAILED for the ledger's reason; a refund that failed frees
    its part. Entries and outcomes are written in one transaction.
    """
    return work_off_batch(TRANSFERS, limit=limit)


def _write_transfers(held: list[Transfer], _: None) -> None:
    _with_accounts(held)
    now = timezone.now()
    results = post_entries([_entry_of(transfer, now) for transfer in held])
    for transfer, result in zip(held, results, strict=True):
        _note_result(transfer, result)
        transfer.due_at, transfer.updated_at = None, now
    sql.execute(
        "payments",
        "complete_transfers",
        ids=[row.pk for row in held],
        statuses=[row.status for row in held],
        journal_entries=[row.journal_entry for row in held],
        failure_codes=[row.failure_code for row in held],
        failure_reasons=[row.failure_reason for row in held],
        updated_at=now,
    )
    tell(
        [
            Fact(
                f"transfer.{row.status.lower()}",
                row.public_id,
                row.merchant_id,
                represent_transfer(row),
            )
            for row in held
        ],
        at=now,
    )


def _lock_refunded(claimed: list[Transfer]) -> None:
    lock_transfers({row.refund_of_id for row in claimed if row.refund_of_id is not None})


def _with_accounts(held: list[Transfer]) -> None:
    refunded = Transfer.objects.in_bulk(
        {row.refund_of_id for row in held if row.refund_of_id is not None}
    )
    accounts = Account.objects.in_bulk(
        {pk for row in held for pk in (row.source_account_id, row.destination_account_id)}
    )
    for row in held:
        row.source_account = accounts[row.source_account_id]
        row.destination_account = accounts[row.destination_account_id]
        if row.refund_of_id is not None:
            row.refund_of = refunded[row.refund_of_id]


def _entry_of(transfer: Transfer, effective_at: datetime) -> Entry:
    if transfer.refund_of_id is None:
        return entry_for_transfer(transfer, effective_at)
    return entry_for_transfer_refund(transfer, effective_at)


def _note_result(transfer: Transfer, result: Result) -> None:
    if result.status != Status.REFUSED:
        move(transfer, Transfer.Status.COMPLETED)
        transfer.journal_entry = result.public_id
    elif result.code == "idempotency_conflict":
        # Its entry is there and says something else, so neither outcome would be true.
        raise EntryDiffers(transfer)
    else:
        move(transfer, Transfer.Status.FAILED)
        transfer.failure_code = result.code
        transfer.failure_reason = result.message[:FAILURE_REASON_LENGTH_MAX]


TRANSFERS = Trade(
    Transfer,
    find=lambda claimed: None,
    write=_write_transfers,
    lock_first=_lock_refunded,
    becomes={Transfer.Status.ACCEPTED: Transfer.Status.PROCESSING},
)
