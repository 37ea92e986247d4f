"""What all pages of the back office have: the viewer's zone, no script in them, a way around."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from config.back_office.navigation import WAYS
from payments.models import Payment
from tests.factories import SucceededPaymentFactory

pytestmark = pytest.mark.django_db

TOOK_EFFECT = datetime(2026, 3, 19, 23, 30, tzinfo=UTC)


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com"))
    return client


def page_of(payment: Payment) -> str:
    return reverse("admin:payments_payment_change", args=[payment.pk])


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Europe/Zurich", "2026-03-20 00:30"),
        ("America%2FNew_York", "2026-03-19 19:30"),
        ("", "2026-03-19 23:30"),
        ("Nowhere", "2026-03-19 23:30"),
        ("../../etc/passwd", "2026-03-19 23:30"),
    ],
)
def test_times_are_in_the_viewers_zone(root: Client, zone: str, shown: str) -> None:
    payment = SucceededPaymentFactory()
    Payment.objects.filter(pk=payment.pk).update(effective_at=TOOK_EFFECT)
    root.cookies["tieout_zone"] = zone

    assert shown in root.get(page_of(payment)).content.decode()


def test_pages_run_no_script_that_stands_in_them(root: Client) -> None:
    for url in (reverse("admin:index"), reverse("admin:login"), page_of(SucceededPaymentFactory())):
        page = root.get(url)
        policy = page.get("Content-Security-Policy", "")
        if page.status_code == 200:
            assert "<script>" not in page.content.decode()
        assert "default-src 'none'" in policy
        (scripts,) = [part for part in policy.split("; ") if part.startswith("script-src")]
        assert scripts == "script-src 'self' 'unsafe-eval'"
    assert "Content-Security-Policy" not in root.get("/api/v1/health")


def test_way_around_is_what_the_viewer_may_see(root: Client) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_discrepancy"))
    client = Client()
    client.force_login(clerk)

    groups = client.get("/admin/").context["sidebar_navigation"]
    titles = [item["title"] for group in groups for item in group["items"]]
    assert titles == ["Today", "Discrepancies"]
    everything = root.get("/admin/").context["sidebar_navigation"]
    links = [item["link"] for group in everything for item in group["items"]]
    assert len(links) == sum(map(len, WAYS.values()))
    for link in links:
        page = root.get(link)
        assert page.status_code == 200
        here = page.context["sidebar_navigation"]
        active = [it["link"] for group in here for it in group["items"] if it["active"]]
        assert active == [link]
