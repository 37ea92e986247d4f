"""The audit trail in the back office: found, taken away, and itself watched."""

import csv
import io
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from config.people.roles import Role
from ledger.actors import Actor
from ledger.models import AuditEvent
from ledger.services import audit
from tests.support.back_office import browser_of, person

pytestmark = pytest.mark.django_db

LIST = reverse("admin:ledger_auditevent_changelist")
EXPORT = reverse("admin:ledger_auditevent_export")
MAKER = Actor("user", "7", "maker@example.com")


@pytest.fixture
def auditor() -> Client:
    audit.record("payout.approved", "mpo_1", actor=MAKER, reason="=1+1")
    audit.record("payout.canceled", "mpo_2", actor=Actor.system("settle"), after={"status": "GONE"})
    return browser_of(person("auditor@example.com", Role.AUDITOR))


def subjects(client: Client, **asked: str) -> list[str]:
    shown = client.get(LIST, asked).context["cl"].queryset
    return sorted(event.subject for event in shown if event.subject.startswith("mpo_"))


def exported(client: Client, **asked: str) -> list[list[str]]:
    answer = client.post(EXPORT, {"format": "csv", **asked})
    return list(csv.reader(io.StringIO(answer.getvalue().decode())))


def test_events_are_found_by_who_what_when_and_about_what(auditor: Client) -> None:
    today = f"{datetime.now(UTC):%Y-%m-%d}"

    assert subjects(auditor) == ["mpo_1", "mpo_2"]
    assert subjects(auditor, actor="settle") == ["mpo_2"]
    assert subjects(auditor, action="payout.app") == ["mpo_1"]
    assert subjects(auditor, subject="mpo_2") == ["mpo_2"]
    assert subjects(auditor, since=today, until=today) == ["mpo_1", "mpo_2"]
    assert subjects(auditor, until="2020-01-01") == []
    assert subjects(auditor, since="no day") == []


def test_csv_has_what_was_asked_for_and_no_formula(auditor: Client) -> None:
    columns, *rows = exported(auditor, action="payout", subject="mpo_1")

    assert [row[columns.index("reason")] for row in rows] == ["'=1+1"]
    assert [row[columns.index("actor_label")] for row in rows] == ["maker@example.com"]


def test_sheet_has_the_same(auditor: Client) -> None:
    answer = auditor.post(EXPORT, {"format": "xlsx", "action": "payout"})
    columns, *rows = load_workbook(io.BytesIO(answer.getvalue())).active.values

    assert [row[columns.index("subject")] for row in rows] == ["mpo_1", "mpo_2"]
    assert rows[0][columns.index("reason")] == "'=1+1"
    assert rows[1][columns.index("after")] == "status: GONE"


def test_looking_and_exporting_are_events_too(auditor: Client) -> None:
    auditor.get(LIST)
    exported(auditor, since="2026-01-01")

    looked, took = AuditEvent.objects.order_by("pk")[2:]
    assert (looked.action, looked.subject) == ("page.viewed", "ledger_auditevent_changelist")
    assert (took.action, took.subject) == ("file.exported", "audit-trail-2026-01-01-now.csv")
    assert looked.actor_label == took.actor_label == "auditor@example.com"
    assert took.request_id.startswith("req_")


def test_only_some_may_look_and_fewer_may_export() -> None:
    controller = browser_of(person("c@example.com", Role.CONTROLLER))
    viewer = browser_of(person("v@example.com", Role.VIEWER))

    assert controller.get(LIST).status_code == 200
    assert controller.post(EXPORT, {"format": "csv"}).status_code == 403
    assert viewer.get(LIST).status_code == 403


def test_whole_account_numbers_are_shown_only_with_a_trace() -> None:
    from settlements.models import MerchantBankAccount
    from settlements.rails.orders import NamedAccount
    from settlements.services.bank_accounts import ask_for_bank_account
    from tests.factories import MerchantFactory

    account: MerchantBankAccount = ask_for_bank_account(
        MerchantFactory(code="shop"),
        NamedAccount("Shop", "DE02120300000000202051", ""),
        currency="EUR",
        actor=MAKER,
    )
    page = reverse("admin:settlements_merchantbankaccount_change", args=[account.pk])
    before = AuditEvent.objects.count()

    masked = browser_of(person("v@example.com", Role.VIEWER)).get(page).content.decode()
    assert "DE02120300000000202051" not in masked
    assert AuditEvent.objects.count() == before
    whole = browser_of(person("c@example.com", Role.CHECKER)).get(page).content.decode()

    assert "DE02120300000000202051" in whole
    event = AuditEvent.objects.latest("pk")
    assert event.subject == f"settlements_merchantbankaccount_change:{account.pk}"
    assert event.actor_id == str(User.objects.get(username="c@example.com").pk)
    assert "DE02120300000000202051" not in str(list(AuditEvent.objects.values()))
