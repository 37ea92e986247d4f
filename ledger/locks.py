"""Locks of the ledger by name. Posting locks balances in the functions it calls."""

from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable

from ledger.errors import Busy
from ledger.models import AccountBalance, ChangeRequest, Hold


def lock_reversal_of(public_id: str) -> None:
    """One reversal of this entry at a time, until this transaction ends.

    Advisory: a role that may not change entries may not lock their rows either.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"reversal:{public_id}"]
        )


def lock_closing() -> None:
    """Wait until nobody is posting, and let nobody post until this transaction ends.

    Whoever writes entries holds the shared side of this lock, taken by the trigger on them. Raises
    Busy if somebody has been posting for longer than `lock_timeout`: everybody else who wants to
    post waits behind this.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('ledger:closing', 0))")
    except OperationalError as problem:
        if isinstance(problem.__cause__, LockNotAvailable):
            raise Busy("Somebody has been posting for a while; try again in a moment.") from problem
        raise


def lock_hold(public_id: str) -> Hold | None:
    """The hold, before any balance is locked."""
    holds = Hold.objects.select_related("account").select_for_update(of=("self",))
    return holds.filter(public_id=public_id).first()


def lock_balance(account_id: int) -> AccountBalance:
    """The balance of one account. Raises Busy after `lock_timeout`."""
    balances = AccountBalance.objects.select_related("account")
    try:
        return balances.select_for_update(of=("self",), no_key=True).get(account_id=account_id)
    except OperationalError as problem:
        if isinstance(problem.__cause__, LockNotAvailable):
            raise Busy("Somebody else is posting to this account.") from problem
        raise


def lock_change(pk: int) -> ChangeRequest:
    return ChangeRequest.objects.select_for_update(no_key=True).get(pk=pk)
