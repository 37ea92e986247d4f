"""Wallets with money in them, and transfers between them."""

import itertools

from django.db import connection

from ledger.actors import Actor
from ledger.models import Account
from ledger.money import Money
from payments.models import Merchant, Transfer
from payments.selectors import wallet_of
from payments.services.merchants import open_wallet
from payments.services.transfers import TransferWish, create_transfer, process_transfers

ACTOR = Actor.system("tests")
_KEYS = (f"transfer-{number}" for number in itertools.count(1))


def purse(
    merchant: Merchant, code: str, funded: str = "100.00", *, currency: str = "EUR"
) -> Account:
    """A wallet of the merchant with this much in it."""
    return open_wallet(merchant, code=code, currency=currency, funded=Money.of(funded, currency))


def ask(source: Account, destination: Account, amount: str, key: str = "") -> Transfer:
    """A transfer that is written down."""
    return create_transfer(
        Merchant.objects.get(public_id=source.owner),
        TransferWish(source, destination, Money.of(amount, source.currency)),
        idempotency_key=key or next(_KEYS),
        actor=ACTOR,
    )


def transferred(source: Account, destination: Account, amount: str) -> Transfer:
    """A transfer the ledger has decided about."""
    return decided(ask(source, destination, amount))


def decided(transfer: Transfer) -> Transfer:
    process_transfers()
    transfer.refresh_from_db()
    return transfer


def on(account: Account) -> str:
    """The balance the ledger keeps, as text."""
    merchant = Merchant.objects.get(public_id=account.owner)
    return wallet_of(merchant, account.public_id).balance.money.text


def tamper(statement: str, *params: object) -> int:
    """Run SQL as somebody who switched the triggers off; how many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, params)
        changed = cursor.rowcount
        cursor.execute("SET LOCAL session_replication_role = origin")
    return changed
