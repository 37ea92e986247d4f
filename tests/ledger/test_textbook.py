"""Worked examples as books on double entry set them, with their figures: one business's own books.

Each ends with its balances in two columns, as a trial balance is written, worked out by hand.
"""

from datetime import UTC, datetime

import pytest

from ledger.actors import Actor
from ledger.models import Account, JournalEntry
from ledger.selectors import balance_of
from ledger.services.posting import EntryRefused
from ledger.services.reversals import reverse_entry
from tests.factories import eur
from tests.support.textbook import book, columns, post, total

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

ACTOR = Actor.system("bookkeeper")
FIRST_MONTH = (
    book("01-01", "the owner invests", {"cash": "50,000"}, {"capital": "50,000"}),
    book("01-02", "equipment on credit", {"equipment": "12,000"}, {"payables": "12,000"}),
    book("01-03", "three months' rent ahead", {"prepaid_rent": "3,600"}, {"cash": "3,600"}),
    book("01-05", "supplies", {"supplies": "800"}, {"cash": "800"}),
    book("01-10", "part of the equipment paid", {"payables": "5,000"}, {"cash": "5,000"}),
    book("01-15", "a client is billed", {"receivables": "9,400"}, {"revenue": "9,400"}),
    book("01-18", "a client pays ahead", {"cash": "2,000"}, {"unearned_revenue": "2,000"}),
    book("01-20", "the client pays a part", {"cash": "6,000"}, {"receivables": "6,000"}),
    book("01-25", "wages", {"wages": "3,200"}, {"cash": "3,200"}),
    book("01-28", "the owner takes money out", {"drawings": "1,500"}, {"cash": "1,500"}),
)
ADJUSTMENTS = (
    book("01-31", "a month's rent is used up", {"rent": "1,200"}, {"prepaid_rent": "1,200"}),
    book("01-31", "supplies left: 300", {"supplies_used": "500"}, {"supplies": "500"}),
    book("01-31", "wear", {"depreciation": "200"}, {"accumulated_depreciation": "200"}),
    book("01-31", "half the work is done", {"unearned_revenue": "1,000"}, {"revenue": "1,000"}),
    book("01-31", "wages since the 25th", {"wages": "640"}, {"wages_payable": "640"}),
)
CLOSING = (
    book("01-31", "close revenue", {"revenue": "10,400"}, {"income_summary": "10,400"}),
    book(
        "01-31",
        "close expenses",
        {"income_summary": "5,740"},
        {"wages": "3,840", "rent": "1,200", "supplies_used": "500", "depreciation": "200"},
    ),
    book("01-31", "the month's profit", {"income_summary": "4,660"}, {"capital": "4,660"}),
    book("01-31", "close drawings", {"capital": "1,500"}, {"drawings": "1,500"}),
)


def test_first_month_of_a_service_business_before_adjustments() -> None:
    """Capital, purchases on credit and in advance, a bill, wages, drawings."""
    post(*FIRST_MONTH)

    debits, credits = columns()
    assert debits == {
        "cash": "43,900.00",
        "drawings": "1,500.00",
        "equipment": "12,000.00",
        "prepaid_rent": "3,600.00",
        "receivables": "3,400.00",
        "supplies": "800.00",
        "wages": "3,200.00",
    }
    assert credits == {
        "capital": "50,000.00",
        "payables": "7,000.00",
        "revenue": "9,400.00",
        "unearned_revenue": "2,000.00",
    }
    assert total(debits) == total(credits) == "68,400.00"


def test_adjusting_entries_bring_income_and_expense_into_the_month_they_belong_to() -> None:
    """Prepayment, supplies, depreciation, deferred income, accrued wages."""
    post(*FIRST_MONTH, *ADJUSTMENTS)

    debits, credits = columns()
    assert debits == {
        "cash": "43,900.00",
        "depreciation": "200.00",
        "drawings": "1,500.00",
        "equipment": "12,000.00",
        "prepaid_rent": "2,400.00",
        "receivables": "3,400.00",
        "rent": "1,200.00",
        "supplies": "300.00",
        "supplies_used": "500.00",
        "wages": "3,840.00",
    }
    assert credits == {
        "accumulated_depreciation": "200.00",
        "capital": "50,000.00",
        "payables": "7,000.00",
        "revenue": "10,400.00",
        "unearned_revenue": "1,000.00",
        "wages_payable": "640.00",
    }
    assert total(debits) == total(credits) == "69,240.00"


def test_closing_moves_the_profit_to_equity_and_leaves_a_balance_sheet() -> None:
    post(*FIRST_MONTH, *ADJUSTMENTS, *CLOSING)

    debits, credits = columns()
    assert debits == {
        "cash": "43,900.00",
        "equipment": "12,000.00",
        "prepaid_rent": "2,400.00",
        "receivables": "3,400.00",
        "supplies": "300.00",
    }
    assert credits == {
        "accumulated_depreciation": "200.00",
        "capital": "53,160.00",
        "payables": "7,000.00",
        "unearned_revenue": "1,000.00",
        "wages_payable": "640.00",
    }
    assert total(debits) == total(credits) == "62,000.00"


def test_accrual_is_reversed_on_the_first_of_the_next_month() -> None:
    """So that whoever pays on the 7th books the whole pay, and each month bears its share."""
    post(*FIRST_MONTH, *ADJUSTMENTS)
    accrual = JournalEntry.objects.get(reference="wages since the 25th")
    first = datetime(2026, 2, 1, tzinfo=UTC)

    reverse_entry(accrual.public_id, reason="Accrual of January", actor=ACTOR, effective_at=first)
    post(book("02-07", "wages of two weeks", {"wages": "1,600"}, {"cash": "1,600"}))

    wages = Account.objects.get(code="wages:EUR")
    assert balance_of(wages, as_of=datetime(2026, 1, 31, 23, tzinfo=UTC)) == eur("3840.00")
    assert balance_of(wages, as_of=first) == eur("3200.00")
    assert balance_of(wages) == eur("4800.00")  # February bears 960.00
    debits, credits = columns()
    assert "wages_payable" not in credits
    assert total(debits) == total(credits) == "68,600.00"


def test_loan_is_paid_back_in_equal_instalments() -> None:
    """12,000 at 1 % a month, 1,066.19 each: interest falls, repayment grows."""
    post(
        book("01-01", "the loan", {"bank": "12,000"}, {"loan": "12,000"}),
        book("02-01", "first", {"interest": "120.00", "loan": "946.19"}, {"bank": "1,066.19"}),
        book("03-01", "second", {"interest": "110.54", "loan": "955.65"}, {"bank": "1,066.19"}),
        book("04-01", "third", {"interest": "100.98", "loan": "965.21"}, {"bank": "1,066.19"}),
    )

    debits, credits = columns()
    assert debits == {"bank": "8,801.43", "interest": "331.52"}
    assert credits == {"loan": "9,132.95"}
    assert total(debits) == "9,132.95"


def test_doubtful_debts_are_provided_for_written_off_and_partly_recovered() -> None:
    """3 % of 10,000 are expected to be lost, 180 are, and 60 of them come after all."""
    post(
        book("05-01", "sales on credit", {"receivables": "10,000"}, {"sales": "10,000"}),
        book("05-31", "3 %", {"bad_debts": "300"}, {"allowance_for_doubtful_debts": "300"}),
        book("06-10", "insolvent", {"allowance_for_doubtful_debts": "180"}, {"receivables": "180"}),
        book("07-01", "not quite", {"receivables": "60"}, {"allowance_for_doubtful_debts": "60"}),
        book("07-01", "the receiver pays", {"bank": "60"}, {"receivables": "60"}),
    )

    debits, credits = columns()
    assert debits == {"bad_debts": "300.00", "bank": "60.00", "receivables": "9,820.00"}
    assert credits == {"allowance_for_doubtful_debts": "180.00", "sales": "10,000.00"}
    assert total(debits) == total(credits) == "10,180.00"


def test_petty_cash_is_filled_up_to_its_fixed_sum_and_never_overdrawn() -> None:
    """An imprest of 200; 121.75 are spent; 77.95 are counted, so 0.30 are short."""
    post(
        book("06-01", "capital", {"bank": "1,000"}, {"capital": "1,000"}),
        book("06-01", "the fund", {"petty_cash": "200"}, {"bank": "200"}),
        book(
            "06-30",
            "what was spent",
            {"postage": "37.50", "cleaning": "22.30", "travel": "61.95"},
            {"petty_cash": "121.75"},
        ),
        book("06-30", "the count", {"cash_short": "0.30"}, {"petty_cash": "0.30"}),
    )
    with pytest.raises(EntryRefused, match="does not allow"):
        post(book("06-30", "a taxi", {"travel": "77.96"}, {"petty_cash": "77.96"}))

    post(book("06-30", "filled up", {"petty_cash": "122.05"}, {"bank": "122.05"}))

    debits, credits = columns()
    assert debits == {
        "bank": "677.95",
        "cash_short": "0.30",
        "cleaning": "22.30",
        "petty_cash": "200.00",
        "postage": "37.50",
        "travel": "61.95",
    }
    assert credits == {"capital": "1,000.00"}
    assert total(debits) == "1,000.00"


def test_entry_on_the_wrong_account_is_reversed_and_booked_again() -> None:
    """A power bill was booked as rent: the journal keeps all three entries."""
    post(
        book("04-01", "capital", {"bank": "1,000"}, {"capital": "1,000"}),
        book("04-12", "power", {"rent": "250"}, {"bank": "250"}),
    )
    wrong = JournalEntry.objects.get(reference="power")

    reverse_entry(wrong.public_id, reason="A power bill, not rent", actor=ACTOR)
    post(book("04-12", "power, corrected", {"utilities": "250"}, {"bank": "250"}))

    debits, credits = columns()
    assert debits == {"bank": "750.00", "utilities": "250.00"}
    assert credits == {"capital": "1,000.00"}
    rent = Account.objects.get(code="rent:EUR").balance
    assert (rent.debits, rent.credits) == (250_00, 250_00)
    assert JournalEntry.objects.count() == 4


def test_profit_is_divided_among_partners_without_losing_a_cent() -> None:
    """10,000.00 in three equal parts."""
    shares = [share.text for share in eur("10000.00").split([1, 1, 1])]
    partners = ("capital_ada", "capital_bo", "capital_cy")

    post(
        book("12-31", "the year's fees", {"bank": "10,000"}, {"revenue": "10,000"}),
        book("12-31", "close revenue", {"revenue": "10,000"}, {"income_summary": "10,000"}),
        book(
            "12-31",
            "profit",
            {"income_summary": "10,000"},
            dict(zip(partners, shares, strict=True)),
        ),
    )

    debits, credits = columns()
    assert debits == {"bank": "10,000.00"}
    assert credits == {
        "capital_ada": "3,333.33",
        "capital_bo": "3,333.33",
        "capital_cy": "3,333.34",
    }
