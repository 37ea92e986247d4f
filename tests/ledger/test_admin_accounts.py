"""The back office: an account with its statement and T-account, and the trial balance."""

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from ledger.models import Account
from ledger.services.posting import post_entry
from tests.factories import eur
from tests.support.entries import NOON, deposit, wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

TRIAL_BALANCE = reverse("admin:ledger_trial_balance")


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com"))
    return client


@pytest.fixture
def account() -> Account:
    """Of two days: 1.00, then 2.50."""
    shop = wallet("shop-1")
    post_entry(deposit("first", shop, 100))
    post_entry(deposit("second", shop, 250, at=NOON + timedelta(days=1)))
    return Account.objects.get(code="shop-1")


def page_of(account: Account) -> str:
    return reverse("admin:ledger_account_change", args=[account.pk])


def test_account_page_shows_the_balance_after_each_line(root: Client, account: Account) -> None:
    page = root.get(page_of(account))

    lines = page.context["statement"].lines
    assert [(line.amount, line.balance_after) for line in lines] == [
        (eur("2.50"), eur("3.50")),
        (eur("1.00"), eur("1.00")),
    ]
    assert "opening 0.00, closing 3.50" in page.content.decode()


def test_statement_is_of_the_days_that_are_asked_for(root: Client, account: Account) -> None:
    later = (NOON + timedelta(days=1)).date()

    page = root.get(page_of(account), {"since": later, "until": later})
    assert [line.amount for line in page.context["statement"].lines] == [eur("2.50")]
    assert "opening 1.00, closing 3.50" in page.content.decode()
    wrong = root.get(page_of(account), {"since": later, "until": NOON.date()}).content.decode()
    assert "must end after it begins" in wrong
    assert root.get(page_of(account), {"since": "soon", "cursor": "x"}).status_code == 200


def test_t_account_has_debits_and_credits_beside_each_other(root: Client, account: Account) -> None:
    sides = root.get(page_of(account), {"view": "t"}).context["sides"]

    assert [(side, len(lines), total) for side, lines, total in sides] == [
        ("Debit", 0, eur("0.00")),
        ("Credit", 2, eur("3.50")),
    ]


def test_statement_is_downloaded_with_amounts_as_numbers(root: Client, account: Account) -> None:
    names = [reverse("admin:ledger_statement", args=[account.pk, kind]) for kind in ("csv", "xlsx")]
    as_csv, as_xlsx = (b"".join(root.get(name)) for name in names)

    rows = list(csv.DictReader(io.StringIO(as_csv.decode())))
    assert [(row["amount"], row["balance_after"]) for row in rows] == [
        ("1.00", "1.00"),
        ("2.50", "3.50"),
    ]
    sheet = load_workbook(io.BytesIO(as_xlsx)).active
    assert sheet is not None
    assert [row[6].value for row in sheet.iter_rows(min_row=2)] == [1, 2.5]
    assert root.get(names[0].replace(".csv", ".exe")).status_code == 404


def test_trial_balance_is_of_a_moment_and_equal(root: Client, account: Account) -> None:
    now = root.get(TRIAL_BALANCE).context
    before = root.get(TRIAL_BALANCE, {"as_of": NOON.date()}).context

    for context, amount in ((now, "3.50"), (before, "1.00")):
        (total,) = context["totals"]
        assert (total.debits, total.credits) == (eur(amount), eur(amount))
    rows = b"".join(root.get(TRIAL_BALANCE, {"format": "csv"})).decode().splitlines()
    assert rows[0] == "owner,code,name,type,currency,debits,credits,balance"
    assert "mer_1,shop-1,,liability,EUR,0.00,3.50,3.50" in rows


def test_entry_leads_to_what_it_is_about_and_to_its_accounts(
    root: Client, account: Account
) -> None:
    entry = account.postings.first().entry

    page = root.get(reverse("admin:ledger_journalentry_change", args=[entry.pk])).content.decode()
    assert f"/admin/find/?q={entry.reference}" in page
    assert page_of(account) in page


def test_nobody_reads_accounts_without_the_permission(account: Account) -> None:
    stranger = Client()
    stranger.force_login(User.objects.create_user("stranger", is_staff=True))

    for url in (
        TRIAL_BALANCE,
        page_of(account),
        reverse("admin:ledger_statement", args=[account.pk, "csv"]),
    ):
        assert stranger.get(url).status_code == 403
