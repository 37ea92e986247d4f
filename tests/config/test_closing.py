"""Closing the books from the back office and from the command line."""

import csv
import json
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from ledger.actors import Actor
from ledger.close_pack import sha256_of
from ledger.models import Account, AccountingPeriod, AuditEvent, Hold
from ledger.services.periods import close_period, define_periods, request_reopening
from ledger.services.posting import post_entry
from reconciliation.services.runs import reconcile
from tests.factories import GatewayFactory, SucceededPaymentFactory
from tests.support.entries import deposit, wallet
from tests.support.reports import charge, define_sources, load, report

pytestmark = pytest.mark.django_db

TESTS = Actor.system("tests")
STEPS = {
    "close": "close_accountingperiod",
    "lock": "lock_accountingperiod",
    "request_reopening": "request_reopening",
    "approve_reopening": "approve_reopening",
}


@pytest.fixture
def january() -> AccountingPeriod:
    """January 2024, with 5.00 EUR posted in it."""
    post_entry(deposit("d1", wallet("a"), 500, at=datetime(2024, 1, 10, tzinfo=UTC)))
    (period,) = define_periods("2024-01", "2024-01", zone="UTC", actor=TESTS)
    return period


def operator(name: str, *permissions: str) -> Client:
    """A person who may see periods and do these steps, logged in."""
    user = User.objects.create(username=name, is_staff=True)
    codenames = ["view_accountingperiod", *permissions]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def page_of(period: AccountingPeriod, step: str = "change") -> str:
    name = "change" if step == "change" else step
    suffix = f"accountingperiod_{name}"
    return reverse(f"admin:ledger_{suffix}", args=[period.pk])


def status_of(period: AccountingPeriod) -> str:
    return AccountingPeriod.objects.get(pk=period.pk).status


# --- In the back office --------------------------------------------------------------------


def test_a_period_is_closed_with_a_reason_and_the_request_is_in_the_audit_trail(january):
    closer = operator("closer", "close_accountingperiod")
    asked = closer.get(page_of(january, "close"))
    assert (asked.status_code, status_of(january)) == (200, "OPEN")

    done = closer.post(page_of(january, "close"), {"reason": "Month end"}, follow=True)

    page = done.content.decode()
    assert done.redirect_chain == [(page_of(january), 302)]
    assert "Close: 2024-01." in page
    assert "Entries: 1, late ones among them: 0; accounts: 2; open items: 0" in page
    event = AuditEvent.objects.get(action="accounting_period.closed")
    assert (event.actor_label, event.reason) == ("closer", "Month end")
    assert event.request_id.startswith("req_")


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_no_step_without_a_reason_that_fits(january, reason):
    closer = operator("closer", "close_accountingperiod")

    answer = closer.post(page_of(january, "close"), {"reason": reason})

    assert (answer.status_code, status_of(january)) == (200, "OPEN")


@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_a_permission_of_its_own(january, step):
    others = [permission for name, permission in STEPS.items() if name != step]
    client = operator("somebody", *others)

    asked = client.get(page_of(january, step))
    done = client.post(page_of(january, step), {"reason": "Month end"})

    assert (asked.status_code, done.status_code) == (403, 403)
    assert status_of(january) == "OPEN"


def test_opening_again_takes_two_people(january):
    close_period("2024-01", actor=TESTS)
    maker = operator("maker", "request_reopening", "approve_reopening")
    checker = operator("checker", "approve_reopening")

    maker.post(page_of(january, "request_reopening"), {"reason": "An invoice was forgotten"})
    alone = maker.post(page_of(january, "approve_reopening"), {"reason": "I need it"})
    assert "opened again by somebody else" in alone.content.decode()
    assert status_of(january) == "CLOSED"
    checker.post(page_of(january, "approve_reopening"), {"reason": "Seen the invoice"})

    assert status_of(january) == "OPEN"
    by = AuditEvent.objects.order_by("pk").values_list("actor_label", "reason")
    assert list(by)[-2:] == [("maker", "An invoice was forgotten"), ("checker", "Seen the invoice")]


def test_a_page_offers_the_steps_that_fit_and_are_allowed(january):
    everything = operator("everything", *STEPS.values())
    reader = operator("reader")

    def offered(client: Client) -> list[str]:
        page = client.get(page_of(january)).content.decode()
        links = [*STEPS, "close_pack_json", "close_pack_csv"]
        return [name for name in links if f'href="{page_of(january, name)}"' in page]

    assert (offered(everything), offered(reader)) == (["close"], [])
    close_period("2024-01", actor=TESTS)
    downloads = ["close_pack_json", "close_pack_csv"]
    closed_steps = ["lock", "request_reopening", "approve_reopening"]
    assert (offered(everything), offered(reader)) == (closed_steps + downloads, downloads)
    request_reopening("2024-01", actor=TESTS, reason="An invoice was forgotten")
    everything.post(page_of(january, "lock"), {"reason": "Audited"})
    assert (offered(everything), status_of(january)) == (downloads, "LOCKED")


def test_the_close_pack_is_downloaded(january):
    reader = operator("reader")
    assert reader.get(page_of(january, "close_pack_json")).status_code == 404
    close_period("2024-01", actor=TESTS)

    as_json = reader.get(page_of(january, "close_pack_json"))
    as_csv = reader.get(page_of(january, "close_pack_csv"))

    pack = json.loads(as_json.content)
    assert sha256_of(pack) == pack["sha256"]
    assert as_csv["Content-Disposition"] == 'attachment; filename="close-pack-2024-01.csv"'
    assert b"trial_balance,,,,EUR,,5.00,5.00,," in as_csv.content


def test_holds_and_audit_events_are_readable(january):
    hold = Hold.objects.create(
        idempotency_key="h1",
        account=Account.objects.get(code="a"),
        reference="order-1",
        amount=250,
        captured=50,
    )
    close_period("2024-01", actor=TESTS, reason="Month end")
    root = Client()
    root.force_login(User.objects.create_superuser("root@example.com"))
    event = AuditEvent.objects.get(action="accounting_period.closed")

    hold_page = root.get(reverse("admin:ledger_hold_change", args=[hold.pk])).content.decode()
    event_page = root.get(reverse("admin:ledger_auditevent_change", args=[event.pk]))
    events = root.get(reverse("admin:ledger_auditevent_changelist"), {"q": "2024-01"})

    assert "2.50 EUR" in hold_page
    assert "2.00 EUR" in hold_page
    assert '<td class="pr-4">OPEN</td><td>CLOSED</td>' in event_page.content.decode()
    assert "status: OPEN → CLOSED" in events.content.decode()


# --- From the command line -----------------------------------------------------------------


def test_a_month_is_defined_closed_exported_and_locked(january, tmp_path, capsys):
    call_command("define_periods", "2024-02", "2024-03", "--zone", "UTC")
    call_command("close_period", "2024-01", "--reason", "Month end")
    call_command("close_period", "2024-01")
    call_command("close_pack", "2024-01", "--format", "csv", "-o", str(tmp_path / "pack.csv"))
    call_command("close_pack", "2024-01", "--format", "json", "-o", str(tmp_path / "pack.json"))
    call_command("lock_period", "2024-01")

    pack = json.loads((tmp_path / "pack.json").read_text())
    said = capsys.readouterr().out.splitlines()
    assert "2024-03 2024-03-01T00:00:00+00:00 2024-04-01T00:00:00+00:00 OPEN" in said
    assert "EUR debits 5.00 credits 5.00" in said
    assert "entries: 1, late ones among them: 0; open items: 0" in said
    assert said.count(f"2024-01 is CLOSED; SHA-256 of its close pack: {pack['sha256']}") == 2
    assert said[-1] == "2024-01 is LOCKED."
    with (tmp_path / "pack.csv").open(newline="") as file:
        (total,) = [row for row in csv.DictReader(file) if row["section"] == "trial_balance"]
    assert (total["currency"], total["debits"], total["credits"]) == ("EUR", "5.00", "5.00")


def test_a_refusal_is_one_line_with_its_code(january):
    call_command("define_periods", "2024-02", "2024-02", "--zone", "UTC")

    with pytest.raises(CommandError, match=r"2024-01 is open.*\(earlier_period_open\)"):
        call_command("close_period", "2024-02")
    with pytest.raises(CommandError, match=r"\(close_pack_missing\)"):
        call_command("lock_period", "2024-01")
    with pytest.raises(CommandError, match=r"\(period_not_found\)"):
        call_command("close_pack", "2024-09", "-o", "unused")


def test_the_close_pack_lists_the_discrepancies_that_are_open_by_then(capsys):
    GatewayFactory()
    processor, _ = define_sources()
    payment = SucceededPaymentFactory()
    load(processor, report(charge(payment, "txn_1", gross="99.00", customer_facing_amount="99.00")))
    reconcile()
    day = payment.effective_at
    period = AccountingPeriod.objects.create(
        code="until then",
        starts_at=datetime(2024, 1, 1, tzinfo=UTC),
        ends_at=max(day, datetime(2024, 2, 1, tzinfo=UTC)),
    )

    call_command("close_period", period.code, "--json")

    pack = json.loads(capsys.readouterr().out)
    (item,) = pack["open_items"]
    assert (item["type"], item["amount"], item["currency"]) == ("amount_mismatch", "-1.00", "EUR")
