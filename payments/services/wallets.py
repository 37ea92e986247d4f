"""Accounts a merchant opens for itself."""

import re
from dataclasses import replace

from django.db import transaction

from ledger.actors import Actor
from ledger.errors import Conflict, Invalid
from ledger.ids import new_id
from ledger.models import Account
from ledger.services import audit
from ledger.services.accounts import open_account
from payments.bookkeeping import wallet
from payments.locks import lock_merchant
from payments.models import Merchant

# Without a colon no code of ours looks like it; without this start no public id does.
WALLET_CODE = re.compile(r"(?!acct_)[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", re.ASCII)


class InvalidAccountCode(Invalid):
    code = "invalid_account_code"

    def __init__(self, code: str) -> None:
        super().__init__(
            f"{code[:80]!r} is no code of an account: 1 to 80 letters, digits, _ . - and not acct_…"
        )


class AccountCodeTaken(Conflict):
    code = "account_code_taken"

    def __init__(self, code: str) -> None:
        super().__init__(f"You have an account with the code {code!r} already.")


@transaction.atomic
def create_wallet(
    merchant: Merchant,
    *,
    name: str,
    currency: str,
    actor: Actor,
    code: str = "",
    allow_negative: bool = False,
) -> Account:
    """Open an empty account of the merchant's own; without a code it gets one.

    Unless `allow_negative`, nothing can take more from it than is available. It is in the audit
    trail. Raises AccountCodeTaken, InvalidAccountCode, UnknownCurrency.
    """
    if code and not WALLET_CODE.fullmatch(code):
        raise InvalidAccountCode(code)
    ref = wallet(merchant, code or new_id("wallet"), currency)
    if allow_negative:
        ref = replace(ref, floor=None)
    lock_merchant(merchant.pk)
    if Account.objects.filter(owner=ref.owner, code=ref.code).exists():
        raise AccountCodeTaken(ref.code)
    account = open_account(ref, name=name)
    audit.record(
        "account.opened",
        account.public_id,
        actor=actor,
        after={"code": account.code, "currency": account.currency, "floor": account.floor},
    )
    return account
