"""Accounts are opened when they are first named, once, of the type the chart says, and stay so."""

from dataclasses import replace

import pytest

from ledger.actors import Actor
from ledger.entries import AccountRef, AccountType, Direction, Entry, moves
from ledger.errors import Invalid
from ledger.models import Account, AccountGroup, AuditEvent
from ledger.money import AMOUNT_MAX, Money
from ledger.services.accounts import (
    AccountExists,
    AccountTypeMismatch,
    FloorBroken,
    freeze_account,
    open_account,
    set_floor,
    thaw_account,
)
from ledger.services.chart import AccountGroupContradicted, define_account_group, type_in_chart
from ledger.services.posting import EntryRefused, Status, post_entries, post_entry
from tests.support.entries import CASH, NOON, balance, deposit, funded, transfer, wallet
from tests.support.races import run_together
from tests.support.refusals import refused_by

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

ACTOR = Actor.system("tests")
ASSET, LIABILITY, INCOME = AccountType.ASSET, AccountType.LIABILITY, AccountType.INCOME


def test_account_is_opened_by_the_first_entry_that_names_it() -> None:
    post_entry(deposit("d1", wallet("a"), 5))

    account = Account.objects.get(code="a")
    assert account.public_id.startswith("acct_")
    assert account.ref == wallet("a")
    assert account.normal_side == Direction.CREDIT


def test_opening_an_account_again_gives_the_same_one() -> None:
    first = open_account(wallet("a"), name="Savings")

    again = open_account(wallet("a"))

    assert again == first
    assert again.name == "Savings"
    assert again.balance.money == Money(0, "EUR")


def test_opening_an_account_again_leaves_its_floor_as_it_is() -> None:
    first = open_account(wallet("a", floor=0))

    again = open_account(wallet("a", floor=None))

    assert again == first
    assert again.floor == 0


@pytest.mark.parametrize(
    "other",
    [wallet("a", currency="USD"), replace(wallet("a"), type=ASSET)],
    ids=["currency", "type"],
)
def test_code_of_another_account_cannot_be_opened(other: AccountRef) -> None:
    open_account(wallet("a"))

    with pytest.raises(AccountExists) as refusal:
        open_account(other)

    assert refusal.value.code == "account_exists"
    assert Account.objects.count() == 1


@pytest.mark.parametrize(
    ("ref", "name"),
    [
        (wallet(""), ""),
        (wallet(" "), ""),
        (wallet("a\n"), ""),
        (wallet("a\0"), ""),
        (wallet("a" * 121), ""),
        (wallet("a", floor=AMOUNT_MAX + 1), ""),
        (wallet("a", currency="XYZ"), ""),
        (wallet("a"), "n" * 121),
    ],
    ids=["empty", "blank", "line break", "zero byte", "long", "floor", "currency", "long name"],
)
def test_what_cannot_be_an_account_is_refused(ref: AccountRef, name: str) -> None:
    with pytest.raises(Invalid):
        open_account(ref, name=name)

    assert not Account.objects.exists()


def test_same_code_of_another_owner_is_another_account() -> None:
    funded(wallet("a"), 10)

    funded(replace(wallet("a"), owner="mer_2"), 3)

    assert balance(wallet("a")) == 10
    assert balance(replace(wallet("a"), owner="mer_2")) == 3


# --- The chart -----------------------------------------------------------------------------------


def test_account_under_a_prefix_must_be_of_its_type() -> None:
    define_account_group("suspense:", kind=LIABILITY)

    with pytest.raises(AccountTypeMismatch, match="suspense:EUR is an account of type liability"):
        open_account(AccountRef("suspense:EUR", ASSET, "EUR"))

    assert not Account.objects.exists()
    assert open_account(AccountRef("suspense:EUR", LIABILITY, "EUR")).type == LIABILITY
    assert AccountTypeMismatch.code == "account_type_mismatch"


def test_prefix_is_not_a_pattern_and_ends_where_a_part_ends() -> None:
    define_account_group("a_b:", kind=LIABILITY)

    open_account(AccountRef("axb:1", ASSET, "EUR"))
    open_account(AccountRef("a_bc:1", ASSET, "EUR"))
    open_account(AccountRef("x:a_b:1", ASSET, "EUR"))

    assert [type_in_chart(code) for code in ("a_b:1", "axb:1", "a_b")] == [LIABILITY, None, None]


def test_longest_prefix_counts() -> None:
    define_account_group("bank:", kind=ASSET)
    define_account_group("bank:loans:", kind=LIABILITY)

    open_account(AccountRef("bank:main", ASSET, "EUR"))
    open_account(AccountRef("bank:loans:1", LIABILITY, "EUR"))

    with pytest.raises(AccountTypeMismatch):
        open_account(AccountRef("bank:loans:2", ASSET, "EUR"))
    with pytest.raises(AccountTypeMismatch):
        open_account(AccountRef("bank:second", LIABILITY, "EUR"))


def test_entry_that_names_an_account_of_another_type_than_the_chart_is_refused_alone() -> None:
    define_account_group("fees:", kind=INCOME)
    wrong, right = AccountRef("fees:EUR", ASSET, "EUR"), AccountRef("fees:EUR", INCOME, "EUR")
    entries = [
        Entry(key, "fee", key, NOON, moves(CASH, account, Money(7, "EUR")))
        for key, account in (("f1", wrong), ("f2", right), ("f3", wrong))
    ]

    results = post_entries([deposit("d1", wallet("a"), 5), *entries])

    assert [result.status for result in results] == [
        Status.POSTED,
        Status.REFUSED,
        Status.POSTED,
        Status.REFUSED,
    ]
    assert {result.code for result in results if result.code} == {"account_type_mismatch"}
    assert (balance(wallet("a")), balance(right), balance(CASH)) == (5, 7, 7)


def test_first_entry_alone_does_not_open_an_account_against_the_chart() -> None:
    define_account_group("w:", kind=ASSET)

    with pytest.raises(EntryRefused) as refusal:
        post_entry(deposit("d1", wallet("w:1"), 5))

    assert refusal.value.code == "account_type_mismatch"
    assert not Account.objects.filter(type=LIABILITY).exists()


def test_group_that_contradicts_an_account_is_refused() -> None:
    open_account(AccountRef("suspense:EUR", ASSET, "EUR"))

    with pytest.raises(AccountGroupContradicted, match="suspense:EUR is of type asset"):
        define_account_group("suspense:", kind=LIABILITY)

    assert not AccountGroup.objects.exists()
    define_account_group("suspense:EUR:", kind=LIABILITY)
    define_account_group("suspense:", kind=ASSET)


def test_longer_prefix_cannot_take_an_account_away_from_its_type() -> None:
    define_account_group("bank:", kind=ASSET)
    open_account(AccountRef("bank:loans:1", ASSET, "EUR"))

    with pytest.raises(AccountGroupContradicted):
        define_account_group("bank:loans:", kind=LIABILITY)

    assert [group.prefix for group in AccountGroup.objects.all()] == ["bank:"]


def test_type_of_a_group_changes_only_while_no_account_minds() -> None:
    define_account_group("bank:", kind=LIABILITY, name="Banks")

    group = define_account_group("bank:", kind=ASSET)

    assert (group.type, group.name) == (ASSET, "Banks")
    open_account(AccountRef("bank:1", ASSET, "EUR"))
    with pytest.raises(AccountGroupContradicted):
        define_account_group("bank:", kind=LIABILITY)


@pytest.mark.parametrize("prefix", ["", ":", "bank", "bank: ", "a::", "ü:", "a:" * 41])
def test_what_is_no_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(Invalid, match="no prefix"):
        define_account_group(prefix, kind=ASSET)


@pytest.mark.django_db(transaction=True)
def test_account_opened_while_its_group_is_declared_never_contradicts_it() -> None:
    outcomes = run_together(
        lambda: define_account_group("race:", kind=ASSET),
        lambda: open_account(AccountRef("race:1", LIABILITY, "EUR")),
    )

    assert [type(outcome) for outcome in outcomes] in (
        [AccountGroup, AccountTypeMismatch],
        [AccountGroupContradicted, Account],
    )


# --- Floors --------------------------------------------------------------------------------------


def test_floor_is_changed_within_the_balance_and_the_audit_trail_says_so() -> None:
    account = Account.objects.get(code=funded(wallet("a"), 100).code)

    assert set_floor(account, 100, actor=ACTOR, reason="Guarantee").floor == 100

    event = AuditEvent.objects.get()
    assert (event.action, event.subject, event.reason) == (
        "account.floor_changed",
        account.public_id,
        "Guarantee",
    )
    assert (event.before, event.after) == ({"floor": 0}, {"floor": 100})
    with pytest.raises(EntryRefused, match="does not allow"):
        post_entry(transfer("t1", wallet("a"), wallet("b"), 1))


def test_floor_above_what_is_available_is_refused() -> None:
    account = Account.objects.get(code=funded(wallet("a"), 100).code)

    with pytest.raises(FloorBroken, match=r"cannot be 1\.01 EUR: only 1\.00 EUR are available"):
        set_floor(account, 101, actor=ACTOR)

    account.refresh_from_db()
    assert account.floor == 0
    assert not AuditEvent.objects.exists()


def test_floor_may_be_lowered_and_taken_away() -> None:
    account = Account.objects.get(code=funded(wallet("a"), 100).code)

    set_floor(account, -50, actor=ACTOR)
    post_entry(transfer("t1", wallet("a"), wallet("b"), 150))
    set_floor(account, None, actor=ACTOR)
    post_entry(transfer("t2", wallet("a"), wallet("b"), 150))

    assert balance(wallet("a")) == -200
    with pytest.raises(FloorBroken):
        set_floor(account, 0, actor=ACTOR)


def test_same_floor_again_changes_nothing() -> None:
    account = open_account(wallet("a"))

    set_floor(account, 0, actor=ACTOR)

    assert not AuditEvent.objects.exists()
    with pytest.raises(Invalid, match="no floor"):
        set_floor(account, -AMOUNT_MAX - 1, actor=ACTOR)


@pytest.mark.django_db(transaction=True)
def test_floor_raised_while_money_leaves_is_kept() -> None:
    account = Account.objects.get(code=funded(wallet("a", floor=None), 100).code)

    raised, spent = run_together(
        lambda: set_floor(account, 100, actor=ACTOR),
        lambda: post_entry(transfer("t1", wallet("a"), wallet("b"), 1)),
    )

    assert isinstance(raised, FloorBroken) != isinstance(spent, Exception)
    assert balance(wallet("a")) == (100 if isinstance(spent, Exception) else 99)


def test_nothing_is_posted_to_a_frozen_account() -> None:
    account = open_account(funded(wallet("a"), 100))
    freeze_account(account, actor=ACTOR, reason="Suspicious")

    refused, posted = post_entries([deposit("d1", wallet("a"), 1), deposit("d2", wallet("b"), 1)])

    assert (refused.code, posted.status) == ("account_frozen", "posted")
    assert balance(wallet("a")) == 100
    event = AuditEvent.objects.get(action="account.frozen")
    assert (event.subject, event.reason) == (account.public_id, "Suspicious")

    thaw_account(account, actor=ACTOR, reason="Explained")
    assert post_entries([deposit("d1", wallet("a"), 1)])[0].status == "posted"


def test_database_refuses_postings_to_a_frozen_account() -> None:
    """Frozen after the batch was decided: looked at again, it is refused."""
    account = open_account(funded(wallet("a"), 100))
    freeze_account(account, actor=ACTOR, reason="Suspicious")
    statement = """
    WITH entry AS (
        INSERT INTO ledger_journalentry
            (public_id, idempotency_key, fingerprint, kind, reference, posting_count, effective_at)
        VALUES ('je_raw', 'raw', '\\x00', 'raw', 'raw', 2, now()) RETURNING id
    )
    INSERT INTO ledger_posting (entry_id, position, account_id, direction, amount)
    SELECT entry.id, position, %s, CASE position WHEN 0 THEN 'debit' ELSE 'credit' END, 5
    FROM entry, generate_series(0, 1) AS position
    """

    assert refused_by(statement, [account.pk]) == "ledger_account_frozen"
