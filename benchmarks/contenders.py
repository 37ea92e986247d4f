"""Who is measured: `post_entries`, and three ways to do the same transfer one at a time."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

import hordak.models
from django.db import connection, models, transaction
from djmoney.money import Money as HordakMoney

from benchmarks.models import FunctionAccount, PlainAccount, PlainEntry, PlainPosting
from benchmarks.writers import Load, Prepare, Work
from ledger.entries import AccountRef, AccountType, Entry, moves
from ledger.ids import new_id
from ledger.money import Money
from ledger.services.posting import Status, post_entries
from ledger.sql import execute

ACCOUNTS = 10_000
PLENTY = 10**12
NOW = datetime(2026, 1, 1, tzinfo=UTC)

FREE = [AccountRef(f"bench:free:{n}", AccountType.LIABILITY, "EUR") for n in range(ACCOUNTS)]
FLOORED = [
    AccountRef(f"bench:floored:{n}", AccountType.LIABILITY, "EUR", floor=0) for n in range(ACCOUNTS)
]
HOT = AccountRef("bench:hot", AccountType.INCOME, "EUR")
FUNDS = AccountRef("bench:funds", AccountType.EQUITY, "EUR")

# By placement, the accounts an amount leaves and those it reaches.
PLACEMENTS = {
    "spread": (FREE, FREE),
    "floored": (FLOORED, FLOORED),
    "hot": (FREE, [HOT]),
    "hot, floored": (FLOORED, [HOT]),
}


@dataclass(frozen=True, slots=True)
class Transfer:
    """What every contender does: `amount` leaves account number `source` and reaches `target`."""

    key: str
    reference: str
    source: int
    target: int
    amount: int


def open_accounts() -> None:
    """ACCOUNTS accounts with plenty on them for each contender, and a hot one without a floor."""
    _post_funds([*FREE, *FLOORED, HOT])
    for model in (PlainAccount, FunctionAccount):
        model.objects.bulk_create(
            model(pk=n, currency="EUR", balance=PLENTY, floor=0) for n in range(ACCOUNTS)
        )
        model.objects.create(pk=ACCOUNTS, currency="EUR")
    # As saving them one by one would leave them: each a tree of its own.
    models.QuerySet(hordak.models.Account).bulk_create(
        hordak.models.Account(
            name=f"Account {n}", code=str(n), full_code=str(n), type="LI", currencies=["EUR"],
            tree_id=n + 1, lft=1, rght=2, level=0,
        )
        for n in range(ACCOUNTS)
    )  # fmt: skip
    execute("benchmarks", "create_transfer_function")


def _post_funds(accounts: list[AccountRef]) -> None:
    for first in range(0, len(accounts), 5_000):
        post_entries(
            [
                Entry(
                    f"funds:{account.code}", "funds", "funds", NOW,
                    moves(FUNDS, account, Money(PLENTY, "EUR")),
                )
                for account in accounts[first : first + 5_000]
            ]
        )  # fmt: skip


def transfers_of(load: Load, count: int) -> Iterator[Transfer]:
    """So many random transfers, under keys that rise with time as the product's do."""
    reaches_hot = PLACEMENTS[load.placement][1] == [HOT]
    chance = random.Random()
    for _ in range(count):
        reference = new_id("pay")
        source, target = chance.sample(range(ACCOUNTS), 2)
        yield Transfer(
            f"payment:{reference}",
            reference,
            source,
            ACCOUNTS if reaches_hot else target,
            chance.randint(1, 10_000),
        )


def entries_of(load: Load, count: int) -> list[Entry]:
    """So many random transfers as entries of the ledger."""
    sources, targets = PLACEMENTS[load.placement]
    return [
        Entry(
            transfer.key,
            "payment",
            transfer.reference,
            NOW,
            moves(
                sources[transfer.source],
                targets[transfer.target % len(targets)],
                Money(transfer.amount, "EUR"),
            ),
        )
        for transfer in transfers_of(load, count)
    ]


# --- The product ---------------------------------------------------------------------------


def prepare_ours(load: Load, count: int) -> Work:
    entries = entries_of(load, count)
    batches = [entries[first : first + load.batch] for first in range(0, count, load.batch)]
    return lambda: sum(post(batch) for batch in batches)


def post(batch: list[Entry]) -> int:
    """How many entries were posted: all of them, or it is no measurement."""
    results = post_entries(batch)
    refused = [result for result in results if result.status != Status.POSTED]
    assert not refused, refused[0]
    return len(results)


# --- (a) An ordinary Django service --------------------------------------------------------


def prepare_plain(load: Load, count: int) -> Work:
    transfers = list(transfers_of(load, count))
    return lambda: sum(transfer_plainly(transfer) for transfer in transfers)


@transaction.atomic
def transfer_plainly(transfer: Transfer) -> int:
    locked = PlainAccount.objects.select_for_update().order_by("pk")
    accounts = locked.in_bulk([transfer.source, transfer.target])
    source, target = accounts[transfer.source], accounts[transfer.target]
    assert source.currency == target.currency
    source.balance -= transfer.amount
    target.balance += transfer.amount
    assert source.floor is None or source.balance >= source.floor
    entry = PlainEntry.objects.create(idempotency_key=transfer.key, reference=transfer.reference)
    PlainPosting.objects.bulk_create(
        PlainPosting(entry=entry, account=account, amount=amount, balance_after=account.balance)
        for account, amount in ((source, -transfer.amount), (target, transfer.amount))
    )
    source.save(update_fields=["balance"])
    target.save(update_fields=["balance"])
    return 1


# --- (b) django-hordak ---------------------------------------------------------------------


@cache
def _hordak_accounts() -> list[hordak.models.Account]:
    return list(hordak.models.Account.objects.order_by("tree_id"))


def prepare_hordak(load: Load, count: int) -> Work:
    accounts = _hordak_accounts()
    transfers = [
        (
            accounts[transfer.source],
            accounts[transfer.target],
            HordakMoney(Decimal(transfer.amount) / 100, "EUR"),
        )
        for transfer in transfers_of(load, count)
    ]
    return lambda: sum(transfer_by_hordak(*transfer) for transfer in transfers)


@transaction.atomic
def transfer_by_hordak(
    source: hordak.models.Account, target: hordak.models.Account, money: HordakMoney
) -> int:
    source.transfer_to(target, money)
    return 1


# --- (c) A function in the database --------------------------------------------------------


def prepare_function(load: Load, count: int) -> Work:
    transfers = list(transfers_of(load, count))
    return lambda: sum(transfer_by_function(transfer) for transfer in transfers)


def transfer_by_function(transfer: Transfer) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bench_transfer(%s, %s, %s, %s, %s)",
            [transfer.key, transfer.reference, transfer.source, transfer.target, transfer.amount],
        )
        return len(cursor.fetchall())


PREPARE: dict[str, Prepare] = {
    "ours": prepare_ours,
    "plain": prepare_plain,
    "hordak": prepare_hordak,
    "function": prepare_function,
}
