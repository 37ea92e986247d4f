"""Opening accounts."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from ledger import sql
from ledger.entries import AccountRef
from ledger.errors import Conflict
from ledger.ids import new_id
from ledger.models import Account
from ledger.money import exponent_of

AccountKey = tuple[str, str]  # owner, code


class AccountExists(Conflict):
    code = "account_exists"

    def __init__(self, ref: AccountRef) -> None:
        super().__init__(f"There is already another account with the code {ref.code}.")


@transaction.atomic
def open_account(ref: AccountRef, *, name: str = "") -> Account:
    """Open an account with a balance of 0; the same account again is returned as it is.

    Raises AccountExists if the code is taken by an account of another kind or currency.
    """
    exponent_of(ref.currency)
    accounts_by_key([ref])
    account = Account.objects.get(owner=ref.owner, code=ref.code)
    if account.ref != ref:
        raise AccountExists(ref)
    if name and account.name != name:
        account.name = name
        account.save(update_fields=["name"])
    return account


def accounts_by_key(refs: Iterable[AccountRef]) -> dict[AccountKey, Any]:
    """The account row behind each ref by its key; accounts named for the first time are opened."""
    wanted: dict[AccountKey, AccountRef] = {}
    for ref in refs:
        wanted.setdefault(ref.key, ref)
    found = _find(wanted)
    missing = [wanted[key] for key in sorted(wanted.keys() - found.keys())]
    if missing:
        sql.execute(
            "ledger",
            "open_accounts",
            public_ids=[new_id("acct") for _ in missing],
            owners=[ref.owner for ref in missing],
            codes=[ref.code for ref in missing],
            types=[ref.type.value for ref in missing],
            currencies=[ref.currency for ref in missing],
            floors=[ref.floor for ref in missing],
        )
        found |= _find(ref.key for ref in missing)
    return found


def _find(keys: Iterable[AccountKey]) -> dict[AccountKey, Any]:
    owners, codes = zip(*keys, strict=True)
    rows = sql.rows("ledger", "find_accounts", owners=list(owners), codes=list(codes))
    return {(row.owner, row.code): row for row in rows}
