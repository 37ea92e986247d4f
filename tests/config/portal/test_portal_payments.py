"""Payments in the portal: the first page, the list, one of them, and new ones for tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.portal.chart import payments_chart
from ledger.actors import Actor
from payments.models import Gateway, Merchant, Payment
from payments.services.gateways import choose_gateway, define_gateway
from payments.services.processing import process_payments
from settlements.services.batches import run_settlement
from tests.factories import (
    DisputeFactory,
    MerchantFactory,
    PaymentFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.portal import Role, text_of, visit
from tests.support.races import run_together

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

HOME = reverse("portal:overview")
PAYMENTS = reverse("portal:payments")
NEW = reverse("portal:new_payment")


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop", name="Shop", time_zone="Asia/Tokyo")


@pytest.fixture
def client(shop: Merchant) -> Client:
    return visit(shop)


def shown(client: Client, **query: str) -> list[str]:
    listing = client.get(PAYMENTS, query).context["listing"]
    return [payment.reference for payment in listing.rows]


def test_first_page_has_balance_chart_and_newest_payments(client: Client, shop: Merchant) -> None:
    SucceededPaymentFactory(merchant=shop, money=eur("100.00"), reference="A-1")
    PaymentFactory(merchant=shop, money=eur("7.00"), reference="A-2")

    page = text_of(client.get(HOME))

    assert '<dt>Available</dt><dd class="big">96.80 EUR</dd>' in page  # 2.90 % and 0.30 less
    assert "<dt>Pending, before fees</dt><dd>7.00 EUR</dd>" in page
    assert page.index("A-2") < page.index("A-1")
    assert "2 payments; 100.0 % of those with an outcome succeeded." in page


def test_first_page_of_a_new_merchant_says_what_will_be_there(client: Client) -> None:
    page = text_of(client.get(HOME))

    assert "No money yet" in page
    assert "Nobody has paid in the last 30 days." in page
    assert "<svg" not in page


def test_chart_counts_by_day_in_the_merchants_zone(shop: Merchant) -> None:
    now = datetime(2026, 3, 20, 12, tzinfo=UTC)
    for at in ("2026-03-19T14:59:59Z", "2026-03-19T15:00:00Z", "2026-02-01T00:00:00Z"):
        payment = PaymentFactory(merchant=shop)
        Payment.objects.filter(pk=payment.pk).update(created_at=datetime.fromisoformat(at))
    PaymentFactory(merchant=MerchantFactory(code="other"))

    chart = payments_chart(shop, now)

    assert {str(each.day): each.other for each in chart.columns if each.other} == {
        "2026-03-19": 1,
        "2026-03-20": 1,  # midnight in Tokyo
    }
    assert (len(chart.columns), str(chart.columns[0].day)) == (30, "2026-02-19")
    assert (chart.total, chart.highest, chart.rate) == (2, 1, "")


def test_filters_choose_and_their_days_are_the_merchants(client: Client, shop: Merchant) -> None:
    SucceededPaymentFactory(merchant=shop, money=eur("100.00"), reference="A-1")
    PaymentFactory(merchant=shop, money=eur("7.00"), reference="A-2")
    night = datetime(2026, 3, 19, 15, tzinfo=UTC)  # the 20th begins in Tokyo
    Payment.objects.filter(reference="A-1").update(created_at=night)

    assert shown(client) == ["A-2", "A-1"]
    assert shown(client, status="SUCCEEDED") == ["A-1"]
    assert shown(client, search="A-2") == ["A-2"]
    assert shown(client, search=Payment.objects.get(reference="A-1").public_id) == ["A-1"]
    assert shown(client, currency="EUR", amount_min="7.01") == ["A-1"]
    assert shown(client, currency="EUR", amount_min="0", amount_max="7.00") == ["A-2"]
    assert shown(client, currency="EUR", amount_max="0") == []
    assert shown(client, first_day="2026-03-20", last_day="2026-03-20") == ["A-1"]
    assert shown(client, last_day="2026-03-19") == []


@pytest.mark.parametrize(
    "query",
    [
        {"status": "NONE"},
        {"amount_min": "1"},
        {"currency": "EUR", "amount_min": "1.001"},
        {"first_day": "yesterday"},
        {"last_day": "9999-12-31"},
    ],
)
def test_filter_that_cannot_be_read_shows_nothing_and_says_why(
    client: Client, shop: Merchant, query: dict[str, str]
) -> None:
    PaymentFactory(merchant=shop)

    assert shown(client, **query) == []
    assert 'class="errorlist"' in client.get(PAYMENTS, query).content.decode()


def test_list_goes_on_with_cursors_that_belong_to_it(client: Client, shop: Merchant) -> None:
    for number in range(26):
        PaymentFactory(merchant=shop, reference=f"A-{number}")

    first = client.get(PAYMENTS).context["listing"]
    second = client.get(f"{PAYMENTS}?{first.next_query}").context["listing"]

    assert [payment.reference for payment in first.rows][::24] == ["A-25", "A-1"]
    assert [payment.reference for payment in second.rows] == ["A-0"]
    assert (first.is_first, second.is_first, second.next_query) == (True, False, "")
    for query in (f"{first.next_query}&status=PENDING", "after=1", "after="):
        assert client.get(f"{PAYMENTS}?{query}").status_code == 422
    other = visit(MerchantFactory(code="other"), email="bob@example.com")
    assert other.get(f"{PAYMENTS}?{first.next_query}").status_code == 422


def test_payment_shows_all_that_became_of_it(client: Client, shop: Merchant) -> None:
    payment = SucceededPaymentFactory(merchant=shop, money=eur("100.00"), reference="A-1")
    refund = SucceededRefundFactory(payment=payment, money=eur("20.00"))
    dispute = DisputeFactory(payment=payment, money=eur("40.00"))
    (batch,) = run_settlement(
        timezone.now().astimezone(shop.zone).date() + timedelta(days=1),
        actor=Actor.system("tests"),
    )

    response = client.get(reverse("portal:payment", args=[payment.public_id]))
    page = text_of(response)

    assert refund.public_id in page
    assert dispute.public_id in page
    assert "/portal/settlements/" + batch.public_id in page
    assert "Settlement Pending" in page
    sums = [(each.direction, each.money.text) for each in response.context["postings"]]
    fee = ("debit", "3.20")
    assert sums == [("credit", "100.00"), fee, ("debit", "20.00"), ("debit", "40.00")]


def test_payment_shows_nothing_of_what_the_processor_costs_us(
    client: Client, shop: Merchant
) -> None:
    payment = SucceededPaymentFactory(merchant=shop, money=eur("100.00"))

    response = client.get(reverse("portal:payment", args=[payment.public_id]))

    assert {each.account.owner for each in response.context["postings"]} == {shop.public_id}
    assert "clearing" not in text_of(response)


def form_of(client: Client, **fields: str) -> dict[str, str]:
    key = client.get(NEW).context["form"]["idempotency_key"].value()
    wish = {"amount": "12.34", "currency": "EUR", "source": "tok_visa", "capture": "automatic"}
    return {**wish, "idempotency_key": key, **fields}


def test_test_payment_is_made_once_however_often_the_form_comes(
    client: Client, shop: Merchant
) -> None:
    form = form_of(client, reference="TEST-1")

    first, second = client.post(NEW, form), client.post(NEW, form)

    payment = Payment.objects.get()
    assert first["Location"] == reverse("portal:payment", args=[payment.public_id])
    assert second["Location"] == first["Location"]
    assert (payment.merchant, payment.money, payment.reference) == (shop, eur("12.34"), "TEST-1")
    assert payment.created_by == "user:ann@example.com"
    process_payments()
    assert "Succeeded" in text_of(client.get(first["Location"]))


def test_another_wish_under_the_same_key_is_refused(client: Client) -> None:
    form = form_of(client)
    client.post(NEW, form)

    response = client.post(NEW, {**form, "amount": "99.00"})

    assert response.status_code == 422
    assert Payment.objects.get().money == eur("12.34")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", "0"),
        ("amount", "1.001"),
        ("amount", "ten"),
        ("currency", "XXX"),
        ("source", "4111111111111111"),
        ("reference", "4111 1111 1111 1111"),
        ("description", "a\u202eb"),
        ("idempotency_key", ""),
        ("idempotency_key", "a b"),
    ],
)
def test_wish_that_the_api_refuses_is_refused_here(client: Client, field: str, value: str) -> None:
    response = client.post(NEW, form_of(client, **{field: value}))

    assert response.status_code == 200
    assert 'class="errorlist' in response.content.decode()
    assert not Payment.objects.exists()


def test_reference_that_is_taken_is_said(client: Client, shop: Merchant) -> None:
    PaymentFactory(merchant=shop, reference="A-1")

    response = client.post(NEW, form_of(client, reference="A-1"))

    assert response.status_code == 409
    assert "belongs to another payment" in text_of(response)


def test_no_test_payment_goes_to_a_real_processor(client: Client, shop: Merchant) -> None:
    define_gateway("stripe", adapter=Gateway.Adapter.STRIPE)
    form = form_of(client)
    choose_gateway(shop, "stripe")

    assert client.get(NEW).status_code == 409
    assert client.post(NEW, form).status_code == 409
    assert NEW not in client.get(PAYMENTS).content.decode()
    assert not Payment.objects.exists()


def test_in_production_the_simulator_must_be_chosen_for_the_merchant(
    client: Client, shop: Merchant, settings: Any
) -> None:
    settings.IS_PRODUCTION = True
    assert client.get(NEW).status_code == 409

    choose_gateway(shop, "sim")

    assert client.get(NEW).status_code == 200


def test_viewer_makes_no_payment(shop: Merchant) -> None:
    viewer = visit(shop, Role.VIEWER)

    assert viewer.post(NEW, {}).status_code == 403
    assert NEW not in viewer.get(PAYMENTS).content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_make_one_payment(shop: Merchant) -> None:
    first, second = visit(shop), Client()
    second.force_login(shop.members.get().user)
    form = form_of(first)

    answers = run_together(
        *[lambda browser=each: browser.post(NEW, form) for each in (first, second)]
    )

    payment = Payment.objects.get()
    page = reverse("portal:payment", args=[payment.public_id])
    assert [answer.status_code for answer in answers] == [302, 302]
    assert page in {answer["Location"] for answer in answers} <= {page, PAYMENTS}
