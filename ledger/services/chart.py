"""The chart of accounts: which codes stand for which type of account."""

import re

from django.db import transaction

from ledger import sql
from ledger.entries import AccountType
from ledger.errors import Conflict, Invalid
from ledger.models import AccountGroup

PREFIX = re.compile(r"([A-Za-z0-9_.-]+:)+", re.ASCII)
PREFIX_LENGTH_MAX = 80
NAME_LENGTH_MAX = 120


class AccountGroupContradicted(Conflict):
    code = "account_group_contradicted"

    def __init__(self, prefix: str, kind: str, code: str, code_kind: str) -> None:
        super().__init__(
            f"Accounts under {prefix} cannot be of type {kind}: {code} is of type {code_kind}."
        )


@transaction.atomic
def define_account_group(prefix: str, *, kind: AccountType, name: str = "") -> AccountGroup:
    """Accounts whose code starts with `prefix` are of this type, unless a longer prefix says else.

    Safe to repeat; an empty `name` leaves the name as it is. Raises AccountGroupContradicted if
    there is an account of another type, Invalid for a prefix that does not end with a colon.
    """
    if not PREFIX.fullmatch(prefix) or len(prefix) > PREFIX_LENGTH_MAX:
        raise Invalid(
            f"{prefix[:60]!r} is no prefix of account codes: parts that end with a colon."
        )
    if len(name) > NAME_LENGTH_MAX:
        raise Invalid(f"{name[:60]!r}… is too long: {NAME_LENGTH_MAX} characters at most.")
    group = AccountGroup.objects.filter(prefix=prefix).first()
    if group is None or group.type != kind:
        sql.rows("ledger", "lock_chart")
        group, _ = AccountGroup.objects.update_or_create(prefix=prefix, defaults={"type": kind})
        for row in sql.rows("ledger", "find_account_outside_chart", prefix=prefix):
            raise AccountGroupContradicted(row.prefix, row.type_in_chart, row.code, row.type)
    if name and group.name != name:
        group.name = name
        group.save(update_fields=["name"])
    return group


def type_in_chart(code: str) -> AccountType | None:
    """The type the chart gives accounts with this code; None if it says nothing about them."""
    for row in sql.rows("ledger", "find_type_in_chart", code=code):
        return AccountType(row.type)
    return None
