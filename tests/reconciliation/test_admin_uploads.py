"""Files in the back office: looked at before they are sent, and watched until they are read."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from config.templatetags.back_office import in_currency
from ledger.models import AuditEvent
from ledger.money import Money
from reconciliation.admin import uploads
from reconciliation.models import Source, StatementFile, StatementLine
from reconciliation.previews import LINES_SHOWN
from reconciliation.services.loading import load_statements
from tests.factories import GatewayFactory, eur
from tests.support.bank_files import camt, entry
from tests.support.reports import IBAN, bank_of, define_sources, load

pytestmark = pytest.mark.django_db

UPLOAD = reverse("admin:reconciliation_statementfile_upload")


@pytest.fixture
def bank() -> Source:
    GatewayFactory()
    return define_sources()[1]


@pytest.fixture
def statement(bank: Source) -> bytes:
    """Of one day: 1000.00, two withdrawals of 1.00 and 2.50, 996.50."""
    account = bank_of()
    for amount in ("-1.00", "-2.50"):
        account.book(eur(amount), counterparty="Office Rent GmbH", text="RENT 4111 1111 1111 1111")
    return account.statement()


def clerk(name: str = "clerk@example.com") -> Client:
    user = User.objects.create_user(name, is_staff=True)
    may = Permission.objects.filter(codename__in=["view_statementfile", "upload_statementfile"])
    user.user_permissions.set(may)
    client = Client()
    client.force_login(user)
    return client


def looked_at(client: Client, source: Source, content: bytes) -> Any:
    file = SimpleUploadedFile("march.xml", content)
    return client.post(UPLOAD, {"source": source.pk, "file": file, "step": "preview"})


def test_first_lines_and_balances_are_shown_and_nothing_is_kept(
    bank: Source, statement: bytes
) -> None:
    shown = looked_at(clerk(), bank, statement)

    preview = shown.context["preview"]
    (said,) = preview.statements
    assert (said.account, str(said.opening), str(said.closing), str(said.net)) == (
        *(IBAN, "1000.00", "996.50", "-3.50"),
    )
    assert said.is_configured
    assert not said.is_off
    assert [str(line.net) for line in preview.lines] == ["-1.00", "-2.50"]
    page = shown.content.decode()
    assert "Office Rent GmbH" in page
    assert "4111" not in page
    assert (StatementFile.objects.count(), StatementLine.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("currency", "gross", "shown", "none"),
    [("EUR", "5", "5.00", "0.00"), ("JPY", "5", "5", "0"), ("KWD", "5.0", "5.000", "0.000")],
)
def test_amounts_have_the_decimals_of_their_currency(
    bank: Source, currency: str, gross: str, shown: str, none: str
) -> None:
    content = camt(
        entry(amount=gross, currency=currency), opening=none, closing=gross, currency=currency
    )

    page = looked_at(clerk(), bank, content).content.decode()

    cells = re.findall(r'<td class="t-n">(?:<b>)?([0-9.]+)<', page)
    assert cells == ["1", none, shown, shown, "1", shown, none, shown]


def test_amount_of_no_known_currency_is_shown_as_it_was_read() -> None:
    read = Decimal("1.2345")

    assert [in_currency(read, currency) for currency in ("EUR", "", "XXX")] == ["1.2345"] * 3
    assert in_currency(None, "EUR") == ""


def test_what_was_shown_is_what_is_sent(bank: Source, statement: bytes) -> None:
    client = clerk()
    token = looked_at(client, bank, statement).context["token"]

    sent = client.post(UPLOAD, {"token": token})
    load_statements()

    file = StatementFile.objects.get()
    assert sent["Location"] == reverse("admin:reconciliation_statementfile_change", args=[file.pk])
    assert (file.name, file.status, file.line_count) == ("march.xml", "LOADED", 2)
    again = client.post(UPLOAD, {"token": token}, follow=True).content.decode()
    assert "please choose the file again" in again


def test_nobody_else_sends_it_and_not_after_an_hour(
    bank: Source, statement: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker, other = clerk(), clerk("other@example.com")
    token = looked_at(maker, bank, statement).context["token"]

    for client, sent in ((other, token), (maker, f"{token}x")):
        page = client.post(UPLOAD, {"token": sent}).content.decode()
        assert "please choose the file again" in page
    monkeypatch.setattr(uploads, "KEPT_SECONDS", -1)
    assert "please choose the file again" in maker.post(UPLOAD, {"token": token}).content.decode()
    assert not StatementFile.objects.exists()


def test_what_would_be_refused_is_said_before(bank: Source) -> None:
    shown = looked_at(clerk(), bank, b"not a statement at all")

    assert shown.context["preview"].refusal.startswith("unknown_format")
    assert "It would be refused." in shown.content.decode()


def test_account_that_is_not_ours_is_marked(bank: Source, statement: bytes) -> None:
    other = statement.replace(IBAN.encode(), b"DE89370400440532013000")

    (said,) = looked_at(clerk(), bank, other).context["preview"].statements
    assert not said.is_configured


@pytest.mark.parametrize("remark", ["They sent it by e-mail.", ""])
def test_a_remark_stays_in_the_audit_trail(bank: Source, statement: bytes, remark: str) -> None:
    client, file = clerk(), SimpleUploadedFile("march.xml", statement)
    asked = {"source": bank.pk, "file": file, "step": "preview", "remark": remark}
    client.post(UPLOAD, {"token": client.post(UPLOAD, asked).context["token"]})

    event = AuditEvent.objects.get(action="statement_file.received")
    assert (event.subject, event.reason) == (StatementFile.objects.get().public_id, remark)
    assert (event.actor_label, event.after["name"]) == ("clerk@example.com", "march.xml")


def test_bytes_that_were_sent_before_are_known(bank: Source, statement: bytes) -> None:
    file = load(bank, statement)

    assert looked_at(clerk(), bank, statement).context["preview"].known == file


def test_long_file_shows_its_beginning(bank: Source) -> None:
    content = camt(*[entry(ref=f"r{number}") for number in range(LINES_SHOWN + 5)])

    preview = looked_at(clerk(), bank, content).context["preview"]
    assert (len(preview.lines), preview.line_count) == (LINES_SHOWN, LINES_SHOWN + 5)


def test_page_of_a_file_asks_again_until_it_is_read(bank: Source, statement: bytes) -> None:
    client = clerk()
    client.post(UPLOAD, {"token": looked_at(client, bank, statement).context["token"]})
    file = StatementFile.objects.get()
    watch = reverse("admin:reconciliation_statementfile_watch", args=[file.pk])
    page = reverse("admin:reconciliation_statementfile_change", args=[file.pk])

    waiting = client.get(page).content.decode()
    assert f'data-refresh="{watch}" data-every="2"' in waiting
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in waiting
    load_statements()

    done = client.get(watch)
    ((_, opening, closing),) = done.context["statements"]
    assert (opening, closing) == (Money(100_000, "EUR"), Money(99_650, "EUR"))
    assert "data-refresh" not in done.content.decode()
    assert "noscript" not in client.get(page).content.decode()


def test_watching_takes_the_permission_to_see_files(bank: Source, statement: bytes) -> None:
    file = load(bank, statement)
    stranger = Client()
    stranger.force_login(User.objects.create_user("stranger", is_staff=True))

    watch = reverse("admin:reconciliation_statementfile_watch", args=[file.pk])
    assert stranger.get(watch).status_code == 403
    assert clerk().get(watch.replace(f"/{file.pk}/", "/0/")).status_code == 404
