"""What the books said at the end of a closed period, kept and provable."""

from typing import Any

import pytest

from ledger.close_pack import as_csv, close_pack_of, sha256_of
from ledger.entries import AccountRef, AccountType, Entry, moves
from ledger.errors import (
    ClosePackMissing,
    PeriodNotFound,
)
from ledger.models import Account, AuditEvent, Hold
from ledger.money import Money
from ledger.services.periods import (
    close_period,
)
from ledger.services.posting import post_entry
from tests.support.entries import wallet
from tests.support.periods import FEBRUARY, IN_JANUARY, INSTANT, JANUARY, MAKER, post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


# --- The close pack ------------------------------------------------------------------------


def books_of_january() -> None:
    """5.00 and 1.00 EUR and 300 JPY in January, one of them in its last instant; 9.99 EUR after."""
    yen = wallet("yen", currency="JPY")
    suspense = AccountRef("suspense:EUR", AccountType.LIABILITY, "EUR")
    post("before", 100, at=JANUARY - INSTANT)
    post("d1", 500, at=JANUARY)
    post("d2", 300, at=IN_JANUARY, account=yen)
    unexplained = moves(
        AccountRef("cash:EUR", AccountType.ASSET, "EUR"), suspense, Money(100, "EUR")
    )
    post_entry(Entry("s1", "unexplained", "r", FEBRUARY - INSTANT, unexplained))
    post("after", 999, at=FEBRUARY)


def test_the_close_pack_says_what_the_books_said_at_the_end_of_the_period(months: Any) -> None:
    books_of_january()
    account = Account.objects.get(code="a")
    Hold.objects.create(
        idempotency_key="h1", account=account, reference="r", amount=250, captured=50
    )
    item = {"id": "disc_1", "type": "fee_mismatch", "amount": "-0.20", "currency": "EUR"}

    pack = close_period("2024-01", actor=MAKER, open_items=[item]).close_pack

    assert pack["trial_balance"] == [
        {"currency": "EUR", "debits": "7.00", "credits": "7.00"},
        {"currency": "JPY", "debits": "300", "credits": "300"},
    ]
    assert [
        (row["code"], row["debits"], row["credits"], row["balance"]) for row in pack["accounts"]
    ] == [
        ("cash:EUR", "7.00", "0.00", "7.00"),
        ("suspense:EUR", "0.00", "1.00", "1.00"),
        ("a", "0.00", "6.00", "6.00"),
        ("cash:JPY", "300", "0", "300"),
        ("yen", "0", "300", "300"),
    ]
    figures = ("kind", "currency", "entries", "postings", "debits", "credits")
    totals = pack["control_totals"]
    assert [tuple(row[name] for name in figures) for row in totals["by_kind"]] == [
        ("deposit", "EUR", 1, 2, "5.00", "5.00"),
        ("deposit", "JPY", 1, 2, "300", "300"),
        ("unexplained", "EUR", 1, 2, "1.00", "1.00"),
    ]
    assert [tuple(row[name] for name in figures[1:]) for row in totals["by_currency"]] == [
        ("EUR", 2, 4, "6.00", "6.00"),
        ("JPY", 1, 2, "300", "300"),
    ]
    assert (totals["entries"], totals["postings"], totals["late_entries"]) == (3, 6, 0)
    assert [(row["code"], row["balance"]) for row in pack["not_empty"]] == [
        ("suspense:EUR", "1.00")
    ]
    (held,) = pack["open_holds"]
    assert (held["code"], held["holds"], held["remaining"]) == ("a", 1, "2.00")
    assert pack["open_items"] == [item]
    assert pack["head_seal"] is None


def test_the_hash_of_a_pack_covers_all_of_it_and_is_in_the_audit_trail(months: Any) -> None:
    books_of_january()
    close_period("2024-01", actor=MAKER)

    pack = close_pack_of("2024-01")

    assert sha256_of(pack) == pack["sha256"]
    stored = AuditEvent.objects.get(action="accounting_period.close_pack_stored")
    assert stored.after == {"sha256": pack["sha256"]}
    for name in set(pack) - {"sha256"}:
        assert sha256_of({**pack, name: "changed"}) != pack["sha256"]


def test_a_pack_as_csv_has_every_figure_and_runs_nothing(months: Any) -> None:
    books_of_january()
    item = {"id": "disc_1", "reference": "=cmd|' /C calc'!A0", "amount": "-1.00", "currency": "EUR"}
    close_period("2024-01", actor=MAKER, open_items=[item])

    lines = as_csv(close_pack_of("2024-01")).splitlines()

    assert lines[0] == "section,name,owner,type,currency,count,debits,credits,amount,text"
    assert "trial_balance,,,,EUR,,7.00,7.00,," in lines
    assert "accounts,a,mer_1,liability,EUR,,0.00,6.00,6.00," in lines
    assert "control_total_by_kind,deposit,,,JPY,1,300,300,," in lines
    assert "open_items,'=cmd|' /C calc'!A0,,,EUR,,,,-1.00," in lines


def test_there_is_no_pack_before_the_close(months: Any) -> None:
    with pytest.raises(ClosePackMissing):
        close_pack_of("2024-01")
    with pytest.raises(PeriodNotFound):
        close_pack_of("2024-09")
