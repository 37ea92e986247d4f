"""Opening accounts, and what may change about them later: the name and the floor."""

from collections.abc import Sequence

from django.db import transaction

from ledger import sql
from ledger.actors import Actor
from ledger.entries import AccountRef
from ledger.errors import Conflict, Invalid
from ledger.ids import new_id
from ledger.models import Account, AccountBalance
from ledger.money import AMOUNT_MAX, Money, exponent_of
from ledger.services import audit
from ledger.services.chart import type_in_chart

CODE_LENGTH_MAX = NAME_LENGTH_MAX = 120


class AccountExists(Conflict):
    code = "account_exists"

    def __init__(self, ref: AccountRef) -> None:
        super().__init__(f"There is already another account with the code {ref.code}.")


class AccountTypeMismatch(Conflict):
    code = "account_type_mismatch"

    def __init__(self, ref: AccountRef, type_in_chart: str) -> None:
        super().__init__(
            f"The chart says {ref.code} is an account of type {type_in_chart}, not {ref.type}."
        )


class FloorBroken(Conflict):
    code = "floor_broken"

    def __init__(self, account: Account, floor: Money, available: Money) -> None:
        super().__init__(
            f"The floor of {account.code} cannot be {floor}: only {available} are available."
        )


@transaction.atomic
def open_account(ref: AccountRef, *, name: str = "") -> Account:
    """Open an account with a balance of 0; the same account again is returned as it is.

    A floor counts when the account is opened; `set_floor` changes it. Raises AccountTypeMismatch
    if the chart gives the code another type, AccountExists if the code is taken by an account of
    another type or currency, Invalid for what is no code, name or floor.
    """
    _check(ref, name)
    account = Account.objects.filter(owner=ref.owner, code=ref.code).first()
    if account is None:
        open_accounts([ref])
        account = Account.objects.get(owner=ref.owner, code=ref.code)
    if (account.type, account.currency) != (ref.type, ref.currency):
        in_chart = type_in_chart(ref.code)
        if in_chart not in (None, ref.type):
            raise AccountTypeMismatch(ref, str(in_chart))
        raise AccountExists(ref)
    if name and account.name != name:
        account.name = name
        account.save(update_fields=["name"])
    return account


def _check(ref: AccountRef, name: str) -> None:
    exponent_of(ref.currency)
    if not ref.code.strip() or len(ref.code) > CODE_LENGTH_MAX or not ref.code.isprintable():
        raise Invalid(f"{ref.code[:60]!r} is no code of an account.")
    if len(name) > NAME_LENGTH_MAX:
        raise Invalid(f"{name[:60]!r}… is too long: {NAME_LENGTH_MAX} characters at most.")
    _check_floor(ref.floor)


def _check_floor(floor: int | None) -> None:
    if floor is not None and abs(floor) > AMOUNT_MAX:
        raise Invalid(f"{floor} is no floor: it is larger than any amount this system accepts.")


@transaction.atomic
def set_floor(account: Account, floor: int | None, *, actor: Actor, reason: str = "") -> Account:
    """Postings may leave no balance lower than `floor` (minor units, normal side; None: any).

    The change is in the audit trail. Raises FloorBroken if less than that is available now.
    """
    _check_floor(floor)
    # Whoever posts to the account moves its balance before or after this, and the floor with it.
    balance = AccountBalance.objects.select_for_update().get(account=account)
    account = Account.objects.get(pk=account.pk)
    if account.floor == floor:
        return account
    balance.account = account
    available = balance.available_money
    if floor is not None and available.amount < floor:
        raise FloorBroken(account, Money(floor, account.currency), available)
    before, account.floor = account.floor, floor
    account.save(update_fields=["floor"])
    audit.record(
        "account.floor_changed",
        account.public_id,
        actor=actor,
        reason=reason,
        before={"floor": before},
        after={"floor": floor},
    )
    return account


@transaction.atomic
def freeze_account(account: Account, *, actor: Actor, reason: str) -> Account:
    """Nothing may be posted to the account from now on. Raises ReasonMissing."""
    return _set_frozen(account, True, actor=actor, reason=reason)


@transaction.atomic
def thaw_account(account: Account, *, actor: Actor, reason: str) -> Account:
    """The account may be posted to again. Raises ReasonMissing."""
    return _set_frozen(account, False, actor=actor, reason=reason)


def _set_frozen(account: Account, is_frozen: bool, *, actor: Actor, reason: str) -> Account:
    audit.required(reason)
    account = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    if account.is_frozen != is_frozen:
        account.is_frozen = is_frozen
        account.save(update_fields=["is_frozen"])
        audit.record(
            "account.frozen" if is_frozen else "account.thawed",
            account.public_id,
            actor=actor,
            reason=reason,
        )
    return account


def open_accounts(refs: Sequence[AccountRef]) -> None:
    """There is an account under the key of each ref, of the type the chart gives its code.

    A ref of another type than its account is for the caller to refuse. Raises Invalid for what is
    no account.
    """
    for ref in refs:
        _check(ref, "")
        if ref.floor is not None and ref.floor > 0:
            raise Invalid(f"{ref.code} is opened with nothing on it: its floor cannot be above 0.")
    sql.rows("ledger", "share_chart")
    sql.execute(
        "ledger",
        "open_accounts",
        public_ids=[new_id("acct") for _ in refs],
        owners=[ref.owner for ref in refs],
        codes=[ref.code for ref in refs],
        types=[ref.type.value for ref in refs],
        currencies=[ref.currency for ref in refs],
        floors=[ref.floor for ref in refs],
    )
