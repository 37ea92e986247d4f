"""The back office: sending files, trying them again, correcting and leaving out lines."""

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from reconciliation.errors import FileRefused
from reconciliation.models import RejectedLine, StatementFile, StatementLine
from reconciliation.services.loading import load_statements
from tests.reconciliation.test_quarantine import BAD, REPORT, line
from tests.support.bank_files import camt, entry
from tests.support.reports import load

pytestmark = pytest.mark.django_db

FILES = "admin:reconciliation_statementfile"
LINES = "admin:reconciliation_rejectedline"


@pytest.fixture
def clerk(client):
    """May see files and lines, send files and resolve lines."""
    user = User.objects.create_user("clerk@example.com", password="x", is_staff=True)
    names = (
        "view_statementfile",
        "upload_statementfile",
        "retry_statementfile",
        "view_rejectedline",
        "correct_rejectedline",
        "discard_rejectedline",
    )
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(user)
    return client


def do(client, record, step: str, **fields):
    return client.post(reverse(f"{LINES}_{step}", args=[record.pk]), fields)


def test_sent_file_leads_to_its_page_and_is_loaded(clerk, sources):
    upload = SimpleUploadedFile("a.xml", camt(entry()))

    sent = clerk.post(reverse(f"{FILES}_upload"), {"source": sources[1].pk, "file": upload})
    file = StatementFile.objects.get()
    load_statements()
    page = clerk.get(sent["Location"]).content.decode()

    assert sent["Location"] == reverse(f"{FILES}_change", args=[file.pk])
    assert (file.channel, file.received_by) == ("admin", "user:clerk@example.com")
    assert "Loaded" in page
    assert "100 %" in page


def test_same_bytes_lead_to_the_first_file(clerk, sources):
    for name in ("a.xml", "b.xml"):
        upload = SimpleUploadedFile(name, camt(entry()))
        sent = clerk.post(reverse(f"{FILES}_upload"), {"source": sources[1].pk, "file": upload})

    file = StatementFile.objects.get()
    assert sent["Location"] == reverse(f"{FILES}_change", args=[file.pk])
    assert "were sent before" in clerk.get(sent["Location"]).content.decode()


def test_form_without_a_file_is_shown_again(clerk, sources):
    shown = clerk.get(reverse(f"{FILES}_upload"))
    again = clerk.post(reverse(f"{FILES}_upload"), {"source": sources[1].pk})

    assert (shown.status_code, again.status_code) == (200, 200)
    assert "This field is required" in again.content.decode()


def test_refused_file_is_tried_again(clerk, sources):
    sources[1].formats = []
    sources[1].save()
    with pytest.raises(FileRefused):
        load(sources[1], camt(entry()))
    sources[1].formats = ["camt.053"]
    sources[1].save()
    file = StatementFile.objects.get()

    clerk.post(reverse(f"{FILES}_try_again", args=[file.pk]), {"reason": "Configured now."})
    load_statements()

    file.refresh_from_db()
    assert file.status == "LOADED"


def test_line_is_corrected_and_another_one_left_out(clerk, sources):
    load(sources[0], REPORT.encode())
    first, second = RejectedLine.objects.order_by("line_no")

    shown = clerk.get(reverse(f"{LINES}_correct", args=[first.pk])).content.decode()
    refused = do(clerk, first, "correct", text=BAD, reason="Told.").content.decode()
    corrected = do(clerk, first, "correct", text=line(2), reason="Told.")
    left_out = do(clerk, second, "discard", reason="A test of theirs.")
    load_statements()

    assert "10,00" in shown
    assert "this is what stands there" in refused
    assert (corrected.status_code, left_out.status_code) == (302, 302)
    assert StatementFile.objects.get().status == "LOADED"
    assert StatementLine.objects.count() == 3
    first.refresh_from_db()
    assert first.resolved_by == "user:clerk@example.com"


def test_who_may_only_look_cannot_do_anything(client, sources):
    load(sources[0], REPORT.encode())
    user = User.objects.create_user("auditor@example.com", password="x", is_staff=True)
    names = ("view_statementfile", "view_rejectedline")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(user)
    bad = RejectedLine.objects.first()

    assert client.get(reverse(f"{LINES}_change", args=[bad.pk])).status_code == 200
    assert client.get(reverse(f"{FILES}_upload")).status_code == 403
    assert do(client, bad, "correct", text=line(2), reason="Told.").status_code == 403
    assert do(client, bad, "discard", reason="Told.").status_code == 403
