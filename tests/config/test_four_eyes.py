"""Whoever asks does not decide, the superuser included: services refuse it, and the database does.

Checks of the database come before its foreign keys, so these rows may point at nothing.
"""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, models, transaction
from django.urls import reverse

from ledger.actors import Actor
from ledger.models import ChangeRequest
from payments.models import ParkedWork
from reconciliation.models import WriteOff
from settlements.models import Adjustment, MerchantBankAccount, Payout
from settlements.rails.orders import NamedAccount
from settlements.services.adjustments import request_adjustment
from settlements.services.bank_accounts import ask_for_bank_account
from tests.factories import MerchantFactory, eur
from tests.support.back_office import browser_of
from tests.support.books import query
from tests.support.refusals import constraint_of

pytestmark = pytest.mark.django_db

ROOT = "user:root@example.com"
NOW = datetime(2026, 3, 2, tzinfo=UTC)
MONEY = {"currency": "EUR", "amount": 100}
DECISIONS: dict[str, tuple[type[models.Model], dict[str, Any], str, str]] = {
    "settlements_adjustment_four_eyes": (
        Adjustment,
        {**MONEY, "merchant_id": 0, "reason": "x", "status": "POSTED"},
        "requested_by",
        "decided_by",
    ),
    "settlements_bankaccount_four_eyes": (
        MerchantBankAccount,
        {"merchant_id": 0, "currency": "EUR", "holder": "x", "iban": "x", "status": "VERIFIED"},
        "requested_by",
        "decided_by",
    ),
    "settlements_payout_four_eyes": (
        Payout,
        {**MONEY, "batch_id": 0, "merchant_id": 0, "status": "APPROVED"},
        "requested_by",
        "approved_by",
    ),
    "reconciliation_writeoff_four_eyes": (
        WriteOff,
        {
            **MONEY,
            **{"discrepancy_id": 0, "kind": "write_off", "status": "POSTED", "account": "a"},
            **{"direction": "debit", "counter_account": "b", "effective_on": date(2026, 3, 2)},
            **{"reason_code": "x", "reason": "x", "journal_entry": "je_x"},
        },
        "requested_by",
        "decided_by",
    ),
    "ledger_change_four_eyes": (
        ChangeRequest,
        {
            **{"kind": "roles", "subject": "user:0", "payload": {}, "in_force": {}, "digest": "x"},
            **{"reason": "x", "status": "APPLIED", "created_at": NOW, "expires_at": NOW},
            "decided_at": NOW,
        },
        "requested_by",
        "decided_by",
    ),
    "payments_parkedwork_discarded_by_two": (
        ParkedWork,
        {
            **{"queue": "payments_payment", "row_id": 0, "subject": "x", "problem": "x"},
            **{"discard_reason": "x", "resolution": "DISCARDED", "resolved_at": NOW},
            **{"attempts": 1, "deaths": 0, "failures": 0},
        },
        "discard_asked_by",
        "resolved_by",
    ),
}


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root@example.com")


@pytest.mark.parametrize("constraint", DECISIONS)
def test_the_database_refuses_one_person_for_both(constraint: str) -> None:
    model, fields, asked_by, decided_by = DECISIONS[constraint]

    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        model._default_manager.create(**fields, **{asked_by: ROOT, decided_by: ROOT})

    assert constraint_of(refusal.value) == constraint


@pytest.mark.parametrize("constraint", DECISIONS)
def test_two_people_pass_that_constraint(constraint: str) -> None:
    """Only the person is wrong with the rows above: with a second one they are written."""
    model, fields, asked_by, decided_by = DECISIONS[constraint]

    with transaction.atomic():
        written = model._default_manager.create(**fields, **{asked_by: ROOT, decided_by: "user:x"})
        transaction.set_rollback(True)

    assert written.pk


def test_periods_and_sign_offs_have_theirs() -> None:
    """What else fits them, their own tests try; triggers come before these checks."""
    names = ("ledger_period_four_eyes", "reconciliation_signoff_four_eyes")

    found = query(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conname = ANY(%s) AND convalidated ORDER BY 1",
        [list(names)],
    )

    assert [name for name, _ in found] == list(names)
    assert all("<>" in check or "NOT" in check for _, check in found)


def test_a_superuser_decides_on_nothing_of_his_own(root: User) -> None:
    me, browser = Actor.user(root), browser_of(root)
    shop = MerchantFactory(code="shop")
    adjustment = request_adjustment(shop, eur("5.00"), reason="owed", actor=me)
    account = ask_for_bank_account(
        shop, NamedAccount("Shop", "DE02120300000000202051", ""), currency="EUR", actor=me
    )
    steps = [
        reverse("admin:settlements_adjustment_approve", args=[adjustment.pk]),
        reverse("admin:settlements_merchantbankaccount_verify", args=[account.pk]),
    ]

    pages = [browser.post(step, {"reason": "I am root."}).content.decode() for step in steps]

    assert all("somebody else" in page for page in pages)
    adjustment.refresh_from_db()
    account.refresh_from_db()
    assert (adjustment.status, account.status) == ("REQUESTED", "UNVERIFIED")


def test_a_superuser_changes_nothing_about_himself(root: User) -> None:
    browser = browser_of(root)

    for step in (
        "ask_for_roles",
        "ask_to_reset_second_factor",
        "shut_out",
        "unlock",
        "set_first_password",
    ):
        url = reverse(f"admin:auth_user_{step}", args=[root.pk])
        page = browser.post(url, {"reason": "I am root."}).content.decode()
        assert "another security admin" in page, step

    root.refresh_from_db()
    assert root.is_active
