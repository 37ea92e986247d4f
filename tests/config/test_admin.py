"""The back office shows every record, finds it, and lets nobody change it by form."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import reverse

from config.demo import day
from config.demo.seed import seed_demo
from ledger.admin import ReadOnlyAdmin
from tests.stories.test_business_day import take_payments

OURS = [
    model
    for name in ("ledger", "payments", "settlements", "reconciliation")
    for model in apps.get_app_config(name).get_models()
]
# Shown inside the account, the entry and the hold: they have no page of their own.
WITHOUT_PAGE = {
    *("Posting", "AccountBalance", "DayTotal", "MonthTotal", "HoldCapture"),
    *("StatementFileChunk", "ArchiveMember"),
    *("WebhookAttempt", "SettlementHorizon"),
    "AccountProof",
}
READ_ONLY = [model for model in OURS if model.__name__ not in WITHOUT_PAGE]


@pytest.fixture(scope="module")
def settled_day(django_db_setup, django_db_blocker):
    """One business day, taken back when the module is done."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        seed_demo()
        take_payments("admin")
        day.close(seed=1, say=lambda _: None)
        User.objects.create_superuser("root@example.com", password="root")
        yield
        transaction.set_rollback(True)


@pytest.fixture
def superuser_client(settled_day, django_db_blocker, client):
    with django_db_blocker.unblock():
        client.force_login(User.objects.get(username="root@example.com"))
        yield client


def test_every_model_of_ours_has_a_read_only_page():
    without = [model.__name__ for model in OURS if not admin.site.is_registered(model)]

    assert set(without) == WITHOUT_PAGE
    for model in READ_ONLY:
        assert isinstance(admin.site.get_model_admin(model), ReadOnlyAdmin)


@pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model.__name__)
def test_list_search_and_detail_work_and_nothing_can_be_changed(superuser_client, model):
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"

    listed = superuser_client.get(reverse(f"{name}_changelist"))
    searched = superuser_client.get(reverse(f"{name}_changelist"), {"q": "demo"})
    added = superuser_client.get(reverse(f"{name}_add"))

    assert (listed.status_code, searched.status_code, added.status_code) == (200, 200, 403)
    record = model._default_manager.first()
    if record is None:
        return
    url = reverse(f"{name}_change", args=[record.pk])
    assert superuser_client.get(url).status_code == 200
    assert superuser_client.post(url, {"status": "SUCCEEDED"}).status_code == 403
    deleted = superuser_client.post(reverse(f"{name}_delete", args=[record.pk]), {"post": "yes"})
    assert deleted.status_code == 403


def test_an_account_page_shows_its_postings_and_a_payment_leads_to_its_entries(superuser_client):
    from ledger.models import Account
    from payments.models import Payment

    account = Account.objects.get(code="clearing:simpay:USD")
    payment = Payment.objects.filter(status="SUCCEEDED").first()

    page = superuser_client.get(reverse("admin:ledger_account_change", args=[account.pk]))
    entries = superuser_client.get(
        reverse("admin:ledger_journalentry_changelist"), {"q": payment.public_id}
    )

    assert "merchant:demo-store:payable:USD" not in page.content.decode()
    assert "processor_fee" in page.content.decode()
    assert payment.public_id in entries.content.decode()
