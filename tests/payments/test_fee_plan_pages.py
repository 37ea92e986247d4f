"""People set prices from a day on, with a reason; what was charged before stays."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from config.people.roles import Role
from ledger.models import AuditEvent, ChangeRequest
from payments.models import FeePlan, Merchant
from tests.factories import MerchantFactory
from tests.support.back_office import browser_of, person
from tests.support.changes import agree

pytestmark = pytest.mark.django_db

ASK = reverse("admin:payments_feeplan_ask_for_prices")
TODAY = datetime.now(UTC).date()


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop")


@pytest.fixture
def browser() -> Client:
    return browser_of(person("maker@example.com", Role.MAKER))


def ask(browser: Client, said: dict[str, object]) -> None:
    """And somebody else agrees."""
    browser.post(ASK, said)
    agree(ChangeRequest.objects.get(status="REQUESTED"))


def wish(shop: Merchant, **fields: object) -> dict[str, object]:
    return {
        **{"merchant": shop.pk, "currency": "EUR", "method": "", "valid_from": TODAY},
        **{"basis_points": 190, "fixed": "0.25", "minimum": "0", "maximum": "12.00"},
        **{"refund_policy": "full", "dispute_fee": "15.00", "reason": "New contract."},
        **fields,
    }


def test_new_prices_are_a_version_with_who_and_why(shop: Merchant, browser: Client) -> None:
    ask(browser, wish(shop))

    before, now = FeePlan.objects.filter(merchant=shop, currency="EUR").order_by("valid_from")
    assert (now.basis_points, now.fixed, now.maximum, now.dispute_fee) == (190, 25, 1200, 1500)
    assert (now.set_by, now.reason) == ("user:maker@example.com", "New contract.")
    event = AuditEvent.objects.get(action="fee_plan.set")
    assert (event.before["basis_points"], event.after["basis_points"]) == (before.basis_points, 190)
    assert event.reason == "New contract."


def test_prices_of_days_that_are_over_or_have_begun_stay(shop: Merchant, browser: Client) -> None:
    yesterday = TODAY - timedelta(days=1)
    ask(browser, wish(shop))

    late = browser.post(ASK, wish(shop, valid_from=yesterday)).content.decode()
    again = browser.post(ASK, wish(shop, basis_points=500)).content.decode()
    wrong = browser.post(ASK, wish(shop, fixed="0.255")).content.decode()

    assert "is over: prices hold from today or a later day on" in late
    assert "exists with other prices" in again
    assert "0.255" in wrong
    assert FeePlan.objects.filter(merchant=shop, currency="EUR", basis_points=190).count() == 1
    assert not FeePlan.objects.filter(basis_points=500).exists()


def test_prices_of_a_day_to_come_can_be_set_again(shop: Merchant, browser: Client) -> None:
    tomorrow = TODAY + timedelta(days=1)
    ask(browser, wish(shop, valid_from=tomorrow))
    ask(browser, wish(shop, valid_from=tomorrow, basis_points=180))

    assert FeePlan.objects.get(merchant=shop, valid_from=tomorrow).basis_points == 180
    events = AuditEvent.objects.filter(action="fee_plan.set").order_by("pk")
    assert [event.after["basis_points"] for event in events] == [190, 180]
    assert [event.before["basis_points"] for event in events][1] == 190
