"""Where merchants want their money, and where it leaves from."""

from django.db import IntegrityError, transaction
from stdnum import bic as bics
from stdnum import iban as ibans
from stdnum.exceptions import ValidationError

from ledger.actors import Actor
from ledger.money import exponent_of
from ledger.services import audit
from ledger.states import transition
from payments.models import Merchant
from settlements.errors import (
    ApproverIsRequester,
    BankAccountChanging,
    BankAccountInvalid,
    DebtorAccountUsed,
)
from settlements.locks import lock_bank_accounts, lock_debtor_accounts
from settlements.models import DebtorAccount, MerchantBankAccount, PayoutFile
from settlements.rails.orders import NAME_LENGTH_MAX, NamedAccount
from settlements.rails.sepa_text import has_letters

Status = MerchantBankAccount.Status


def checked(account: NamedAccount) -> NamedAccount:
    """The account with its numbers as they are written to banks. Raises BankAccountInvalid.

    The numbers' own check digits decide (ISO 13616, ISO 9362); lists of banks grow old.
    """
    holder = " ".join(account.holder.split())
    if not 0 < len(holder) <= NAME_LENGTH_MAX or not holder.isprintable():
        raise BankAccountInvalid(f"the holder's name has 1 to {NAME_LENGTH_MAX} characters")
    if not has_letters(holder):
        raise BankAccountInvalid("the holder's name must be in letters banks can write")
    try:
        iban = ibans.validate(account.iban, check_country=False)
        bic = bics.validate(account.bic) if account.bic else ""
    except ValidationError as problem:
        raise BankAccountInvalid(str(problem).rstrip(".").lower()) from None
    return NamedAccount(holder, iban, bic)


@transaction.atomic
def ask_for_bank_account(
    merchant: Merchant,
    account: NamedAccount,
    *,
    currency: str,
    actor: Actor,
    reason: str = "",
) -> MerchantBankAccount:
    """The merchant wants to be paid to this account; payouts in the currency wait until then.

    Asking for what is verified or asked for already changes nothing. Raises BankAccountInvalid,
    UnknownCurrency, and BankAccountChanging while another one waits.
    """
    exponent_of(currency)
    wanted = checked(account)
    known = lock_bank_accounts(merchant.pk, currency)
    waiting = [each for each in known if each.status == Status.UNVERIFIED]
    for each in waiting or [each for each in known if each.status == Status.VERIFIED]:
        if NamedAccount(each.holder, each.iban, each.bic) == wanted:
            return each
    if waiting:
        raise BankAccountChanging(merchant, currency)
    try:
        with transaction.atomic():
            asked = MerchantBankAccount.objects.create(
                merchant=merchant,
                currency=currency,
                holder=wanted.holder,
                iban=wanted.iban,
                bic=wanted.bic,
                requested_by=str(actor),
            )
    except IntegrityError as error:
        if "settlements_bankaccount_one_asked_for" not in str(error):
            raise
        raise BankAccountChanging(merchant, currency) from None
    _record("bank_account.requested", asked, actor=actor, reason=reason)
    return asked


@transaction.atomic
def verify_bank_account(
    account: MerchantBankAccount, *, actor: Actor, reason: str = ""
) -> MerchantBankAccount:
    """Payouts go to this account from now on, and to the one before it no more.

    Raises ApproverIsRequester and InvalidTransition.
    """
    known = lock_bank_accounts(account.merchant_id, account.currency)
    (asked,) = (each for each in known if each.pk == account.pk)
    if asked.requested_by == str(actor):
        raise ApproverIsRequester(asked)
    if asked.status == Status.UNVERIFIED:
        for each in known:
            if each.status == Status.VERIFIED:
                transition(each, Status.REPLACED)
    transition(asked, Status.VERIFIED, decided_by=str(actor))
    _record("bank_account.verified", asked, actor=actor, reason=reason)
    return asked


@transaction.atomic
def refuse_bank_account(
    account: MerchantBankAccount, *, actor: Actor, reason: str
) -> MerchantBankAccount:
    """Payouts go where they went before. Whoever asked for it may take it back so, too.

    Raises InvalidTransition and ReasonMissing.
    """
    known = lock_bank_accounts(account.merchant_id, account.currency)
    (asked,) = (each for each in known if each.pk == account.pk)
    transition(asked, Status.REFUSED, decided_by=str(actor))
    _record("bank_account.refused", asked, actor=actor, reason=audit.required(reason))
    return asked


@transaction.atomic
def define_debtor_account(
    code: str, account: NamedAccount, *, currency: str, actor: Actor
) -> DebtorAccount:
    """New payouts in the currency leave from this account of ours.

    The one they left from before stays for its files. Raises BankAccountInvalid, UnknownCurrency
    and, for other terms of an account that files name, DebtorAccountUsed.
    """
    exponent_of(currency)
    wanted = checked(account)
    terms = {
        "name": wanted.holder,
        "iban": wanted.iban,
        "bic": wanted.bic,
        "currency": currency,
    }
    known = {each.code: each for each in lock_debtor_accounts()}
    debtor = known.get(code)
    changed = debtor is None or any(getattr(debtor, name) != terms[name] for name in terms)
    if debtor is not None and debtor.is_active and not changed:
        return debtor
    if debtor is not None and changed and PayoutFile.objects.filter(debtor=debtor).exists():
        raise DebtorAccountUsed(code)
    DebtorAccount.objects.filter(currency=currency).exclude(code=code).update(is_active=False)
    debtor, _ = DebtorAccount.objects.update_or_create(
        code=code, defaults={**terms, "is_active": True}
    )
    masked = {**terms, "iban": _masked(wanted.iban)}
    audit.record("debtor_account.defined", f"debtor:{code}", actor=actor, after=masked)
    return debtor


def _record(action: str, account: MerchantBankAccount, *, actor: Actor, reason: str = "") -> None:
    after = {
        "merchant": account.merchant.code,
        "currency": account.currency,
        "holder": account.holder,
        "iban": account.masked_iban,
    }
    audit.record(action, f"bank_account:{account.pk}", actor=actor, reason=reason, after=after)


def _masked(iban: str) -> str:
    return MerchantBankAccount(iban=iban).masked_iban
