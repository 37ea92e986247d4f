"""Approved payouts as files a bank takes; the books say they left before anybody has the bytes."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ledger import sql
from ledger.actors import Actor
from ledger.services import audit
from ledger.services.posting import post_all
from ledger.states import move, transition
from settlements.bookkeeping import entry_for_payout_sent
from settlements.errors import (
    BankAccountChanging,
    BankAccountMissing,
    DebtorAccountMissing,
    PayoutFileClosed,
    PayoutFileInvalid,
    PayoutInFile,
)
from settlements.locks import lock_payout_file, lock_payouts
from settlements.models import DebtorAccount, Payout, PayoutAttempt, PayoutFile
from settlements.rails.bank_ids import bank_id
from settlements.rails.orders import NamedAccount, PaymentOrder, Transfer
from settlements.rails.pain_001 import render_pain_001
from settlements.rails.payment_csv import render_payment_csv
from settlements.selectors import changing_accounts, payouts_to_send, verified_accounts
from settlements.telling import tell_of_payouts

PAYOUTS_PER_FILE_MAX = 10_000
RENDERERS = {
    PayoutFile.Format.PAIN_001: render_pain_001,
    PayoutFile.Format.CSV: render_payment_csv,
}

Status = PayoutFile.Status


@transaction.atomic
def make_payout_file(
    payouts: Iterable[Payout],
    *,
    debtor: DebtorAccount,
    execution_on: date,
    format: str,
    actor: Actor,
    reason: str = "",
) -> PayoutFile:
    """A file of approved payouts that leave `debtor` on a day; nobody has it yet.

    They stay APPROVED, each to its merchant's verified account, and are in no other live file.
    Raises PayoutFileInvalid for what no bank would take, and InvalidTransition, PayoutInFile,
    BankAccountChanging or BankAccountMissing for a payout that cannot go; then nothing is made.
    """
    locked = lock_payouts(payout.pk for payout in payouts)
    _check_order(locked, debtor, execution_on)
    _check_payouts(locked)
    _send_to_verified_accounts(locked)
    file = PayoutFile(
        debtor=debtor,
        format=PayoutFile.Format(format),
        execution_on=execution_on,
        payout_count=len(locked),
        created_by=str(actor),
        # Messages tell whole seconds.
        created_at=timezone.now().replace(microsecond=0),
    )
    order = _order(file, locked)
    file.content = RENDERERS[PayoutFile.Format(format)](order)
    file.control_sum = order.control_sum.amount
    file.sha256 = hashlib.sha256(file.content).hexdigest()
    file.save()
    PayoutAttempt.objects.bulk_create(PayoutAttempt(payout=each, file=file) for each in locked)
    _record("payout_file.made", file, actor=actor, reason=reason)
    return file


def make_payout_files(
    *, currency: str, execution_on: date, format: str, actor: Actor, reason: str = ""
) -> list[PayoutFile]:
    """Files of all payouts in a currency that can go, up to PAYOUTS_PER_FILE_MAX in each.

    Raises DebtorAccountMissing when there is no account of ours they could leave from.
    """
    payouts = payouts_to_send(currency)
    debtor = DebtorAccount.objects.filter(currency=currency, is_active=True).first()
    if debtor is None:
        raise DebtorAccountMissing(f"for {currency}")
    return [
        make_payout_file(
            payouts[start : start + PAYOUTS_PER_FILE_MAX],
            debtor=debtor,
            execution_on=execution_on,
            format=format,
            actor=actor,
            reason=reason,
        )
        for start in range(0, len(payouts), PAYOUTS_PER_FILE_MAX)
    ]


@transaction.atomic
def hand_over_payout_file(file: PayoutFile, *, actor: Actor) -> bytes:
    """The bytes, for whoever takes them to the bank; its payouts are SENT and in transit.

    The only way to the bytes. Asking again gives the same ones and moves nothing. Raises
    PayoutFileClosed for a file that came to nothing, and BankAccountChanging.
    """
    locked = lock_payout_file(file.pk)
    if locked.status == Status.REJECTED:
        raise PayoutFileClosed(locked, locked.status, "handed over")
    if locked.status == Status.CREATED:
        _send(locked)
    _record("payout_file.handed_over", locked, actor=actor)
    return bytes(locked.content)


@transaction.atomic
def withdraw_payout_file(file: PayoutFile, *, actor: Actor, reason: str) -> PayoutFile:
    """A file nobody has comes to nothing; its payouts may be canceled or join another one.

    Raises PayoutFileClosed for one that was handed over, and ReasonMissing.
    """
    locked = lock_payout_file(file.pk)
    if locked.status != Status.CREATED:
        raise PayoutFileClosed(locked, locked.status, "withdrawn")
    lock_payouts(payout_ids_of(locked))
    locked.attempts.update(is_live=False, reason="withdrawn", decided_at=timezone.now())
    transition(locked, Status.REJECTED)
    _record("payout_file.withdrawn", locked, actor=actor, reason=audit.required(reason))
    return locked


def mark_file_sent(file: PayoutFile) -> None:
    """A file that its caller has locked left us, with what is in it."""
    payouts, now = lock_payouts(payout_ids_of(file)), timezone.now()
    for payout in payouts:
        move(payout, Payout.Status.SENT)
        payout.sent_at = now
    Payout.objects.filter(attempts__file=file).update(status=Payout.Status.SENT, sent_at=now)
    transition(file, Status.SENT)
    tell_of_payouts(payouts, at=now)
    post_all([entry_for_payout_sent(payout, now) for payout in payouts])


def payout_ids_of(file: PayoutFile) -> list[int]:
    return list(file.attempts.values_list("payout_id", flat=True))


def rendered(file: PayoutFile) -> bytes:
    """The bytes of a file, made anew from its rows: those that are stored."""
    attempts = file.attempts.select_related("payout__batch", "payout__bank_account")
    order = _order(file, [attempt.payout for attempt in attempts.order_by("pk")])
    return RENDERERS[PayoutFile.Format(file.format)](order)


def _send(file: PayoutFile) -> None:
    payouts = Payout.objects.filter(attempts__file=file).select_related("merchant")
    _refuse_held(payouts)
    mark_file_sent(file)


def _check_order(payouts: Sequence[Payout], debtor: DebtorAccount, execution_on: date) -> None:
    if not 0 < len(payouts) <= PAYOUTS_PER_FILE_MAX:
        raise PayoutFileInvalid(
            f"A payout file has 1 to {PAYOUTS_PER_FILE_MAX} payouts, not {len(payouts)}."
        )
    if not debtor.is_active:
        raise DebtorAccountMissing(debtor.code)
    others = {payout.currency for payout in payouts} - {debtor.currency}
    if others:
        raise PayoutFileInvalid(f"{debtor} pays out {debtor.currency}, not {sorted(others)[0]}.")
    today = timezone.localdate(timezone=settings.PLATFORM_ZONE)
    if execution_on < today:
        raise PayoutFileInvalid(f"No bank pays on a day that is over ({execution_on}).")


def _check_payouts(payouts: Sequence[Payout]) -> None:
    """Each may go to the bank, and no other file is taking it there."""
    for payout in payouts:
        if payout.status != Payout.Status.APPROVED:
            move(payout, Payout.Status.SENT)  # raises what says why
            raise AssertionError(payout.status)
    live = PayoutAttempt.objects.filter(payout__in=payouts, is_live=True)
    for attempt in live.select_related("payout", "file").order_by("pk")[:1]:
        raise PayoutInFile(attempt.payout, attempt.file)
    _refuse_held(payouts)


def _refuse_held(payouts: Iterable[Payout]) -> None:
    changing = changing_accounts(payouts)
    for payout in payouts:
        if (payout.merchant_id, payout.currency) in changing:
            raise BankAccountChanging(payout.merchant, payout.currency)


def _send_to_verified_accounts(payouts: Sequence[Payout]) -> None:
    accounts = verified_accounts(payouts)
    for payout in payouts:
        account = accounts.get((payout.merchant_id, payout.currency))
        if account is None:
            raise BankAccountMissing(payout.merchant, payout.currency)
        payout.bank_account = account
    sql.execute(
        "settlements",
        "send_to_accounts",
        payout_ids=[payout.pk for payout in payouts],
        bank_account_ids=[payout.bank_account_id for payout in payouts],
    )


def _order(file: PayoutFile, payouts: Sequence[Payout]) -> PaymentOrder:
    """What the file tells the bank. All it is made of never changes."""
    debtor = file.debtor
    return PaymentOrder(
        message_id=bank_id(file.public_id),
        created_at=file.created_at,
        execution_on=file.execution_on,
        currency=debtor.currency,
        debtor=NamedAccount(debtor.name, debtor.iban, debtor.bic),
        transfers=tuple(map(_transfer, payouts)),
    )


def _transfer(payout: Payout) -> Transfer:
    account = payout.bank_account
    assert account is not None
    return Transfer(
        end_to_end_id=bank_id(payout.public_id),
        money=payout.money,
        creditor=NamedAccount(account.holder, account.iban, account.bic),
        remittance=f"Settlement {payout.batch.period} {bank_id(payout.batch.public_id)}",
    )


def _record(action: str, file: PayoutFile, *, actor: Actor, reason: str = "") -> None:
    after = {"payouts": file.payout_count, "sha256": file.sha256, "status": file.status}
    audit.record(action, file.public_id, actor=actor, reason=reason, after=after)
