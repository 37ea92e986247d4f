"""The trial balance and statements on the command line."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ledger.models import Account
from tests.support.entries import NOON, deposit, transfer, wallet
from tests.support.history import post_at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def journal(db: None) -> None:
    """100.00 come into wallet `=a` on 2 March 2026, 30.00 of it leave on the 3rd."""
    a, b = wallet("=a"), wallet("b")
    post_at(NOON, [deposit("in", a, 10_000)])
    post_at(NOON + DAY, [transfer("out", a, b, 3_000, at=NOON + DAY)])


def printed(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_trial_balance_is_printed_per_currency() -> None:
    assert printed("trial_balance") == "EUR debits 130.00 credits 130.00 3 accounts balanced\n"
    assert printed("trial_balance", "--as-of", "2026-03-02") == (
        "EUR debits 100.00 credits 100.00 2 accounts balanced\n"
    )
    assert printed("trial_balance", "--known-at", "2026-03-01") == "Nothing was posted.\n"


def test_trial_balance_prints_each_account_on_its_side() -> None:
    accounts = [line.split() for line in printed("trial_balance", "--accounts").splitlines()]

    assert accounts[:-1] == [
        ["asset", "cash:EUR", "100.00"],
        ["liability", "mer_1", "=a", "70.00"],
        ["liability", "mer_1", "b", "30.00"],
    ]


def test_trial_balance_as_csv_holds_nothing_that_runs() -> None:
    assert printed("trial_balance", "--csv", "--as-of", "2026-03-02T12:00:00Z").splitlines() == [
        "currency,owner,code,name,type,debits,credits,debit_balance,credit_balance",
        "EUR,,cash:EUR,,asset,100.00,0.00,100.00,0.00",
        "EUR,mer_1,'=a,,liability,0.00,100.00,0.00,100.00",
    ]


def test_trial_balance_for_machines() -> None:
    said = json.loads(printed("trial_balance", "--json", "--accounts", "--as-of", "2026-03-02"))

    assert said["as_of"] == "2026-03-02 23:59:59.999999+00:00"
    assert said["currencies"] == [
        {
            "currency": "EUR",
            "accounts": 2,
            "debits": "100.00",
            "credits": "100.00",
            "balanced": True,
        }
    ]
    assert [(row["code"], row["balance"]) for row in said["accounts"]] == [
        ("cash:EUR", "100.00"),
        ("=a", "100.00"),
    ]


def test_statement_is_printed_from_opening_to_closing_balance() -> None:
    lines = printed("account_statement", "=a", "--owner", "mer_1").splitlines()

    assert lines[0] == "=a EUR opening balance 0.00"
    assert [line.split() for line in lines[1:-1]] == [
        ["2026-03-02", "12:00:00", "deposit", "ref-in", "credit", "100.00", "100.00"],
        ["2026-03-03", "12:00:00", "transfer", "ref-out", "debit", "30.00", "70.00"],
    ]
    assert lines[-1] == "=a EUR closing balance 70.00"


def test_statement_of_a_day_holds_the_whole_day() -> None:
    public_id = Account.objects.get(code="=a").public_id

    said = json.loads(
        printed(
            *("account_statement", public_id, "--json"),
            *("--since", "2026-03-03", "--until", "2026-03-03"),
        )
    )

    assert (said["opening_balance"], said["closing_balance"]) == ("100.00", "70.00")
    assert [(line["reference"], line["balance_after"]) for line in said["lines"]] == [
        ("ref-out", "70.00")
    ]


def test_statement_as_csv() -> None:
    header, line = printed("account_statement", "b", "--owner", "mer_1", "--csv").splitlines()

    assert header == (
        "effective_at,posted_at,journal_entry,kind,reference,direction,amount,balance_after"
    )
    assert line.startswith("2026-03-03 12:00:00+00:00,2026-03-03 12:00:00+00:00,je_")
    assert line.endswith(",transfer,ref-out,credit,30.00,30.00")


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-03-02T12:00:00", ""])
def test_moments_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(CommandError):
        printed("trial_balance", "--as-of", text)


def test_unknown_account_and_backward_period_are_refused() -> None:
    with pytest.raises(CommandError, match="There is no account nowhere of ours"):
        printed("account_statement", "nowhere")
    with pytest.raises(CommandError, match="period_invalid"):
        printed(
            *("account_statement", "cash:EUR"),
            *("--since", "2026-03-03", "--until", "2026-03-01"),
        )
