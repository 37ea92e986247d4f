"""Lists a page at a time, filtered, without gaps."""

import json
from datetime import UTC, datetime

import pytest

from ledger.money import Money
from payments.models import Merchant, Payment
from tests.factories import (
    ApiKeyFactory,
    PaymentFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.api import Api, assert_problem


def test_list_is_paged_newest_first_without_gap_or_repeat(api: Api, shop: Merchant) -> None:
    ids = [PaymentFactory(merchant=shop).public_id for _ in range(5)]
    PaymentFactory()

    pages, cursor = [], ""
    while cursor is not None:
        page = api.get("/payments", limit="2", **({"cursor": cursor} if cursor else {})).json()
        assert set(page) == {"results", "next_cursor", "has_more"}
        assert page["has_more"] is (page["next_cursor"] is not None)
        pages.append([payment["id"] for payment in page["results"]])
        cursor = page["next_cursor"]

    newest_first = ids[::-1]
    assert pages == [newest_first[:2], newest_first[2:4], newest_first[4:]]


def test_full_last_page_has_no_more(api: Api, shop: Merchant) -> None:
    for _ in range(2):
        PaymentFactory(merchant=shop)

    page = api.get("/payments", limit="2").json()

    assert (len(page["results"]), page["has_more"], page["next_cursor"]) == (2, False, None)


def test_empty_list_is_a_page_too(api: Api) -> None:
    assert api.get("/payments").json() == {"results": [], "next_cursor": None, "has_more": False}


def test_payments_that_come_in_between_do_not_shift_the_pages(api: Api, shop: Merchant) -> None:
    old = [PaymentFactory(merchant=shop).public_id for _ in range(3)]
    first = api.get("/payments", limit="2").json()
    PaymentFactory(merchant=shop)

    second = api.get("/payments", limit="2", cursor=first["next_cursor"]).json()

    assert [payment["id"] for payment in second["results"]] == [old[0]]


def test_list_is_filtered_by_status_and_reference(api: Api, shop: Merchant) -> None:
    done = SucceededPaymentFactory(merchant=shop, reference="order-1")
    waiting = PaymentFactory(merchant=shop, reference="order-2")

    by_status = api.get("/payments", status="PENDING").json()["results"]
    by_reference = api.get("/payments", reference="order-1").json()["results"]

    assert [payment["id"] for payment in by_status] == [waiting.public_id]
    assert [payment["id"] for payment in by_reference] == [done.public_id]


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1e2", "abc", "1.0", "٣", " 5", "1" * 5_000])
def test_limit_is_a_number_from_1_to_100(api: Api, limit: str) -> None:
    assert_problem(api.get("/payments", limit=limit), 400, "invalid_limit")


@pytest.mark.parametrize("cursor", ["", "1", "abc", "MQ:1:forged", "x" * 5_000])
def test_cursor_of_our_own_making_only(api: Api, cursor: str) -> None:
    assert_problem(api.get("/payments", cursor=cursor), 400, "invalid_cursor")


def test_cursor_that_was_changed_is_refused(api: Api, shop: Merchant) -> None:
    for _ in range(2):
        PaymentFactory(merchant=shop)
    cursor = api.get("/payments", limit="1").json()["next_cursor"]

    for forged in (cursor[:-1], cursor + "A", "A" + cursor[1:]):
        assert_problem(api.get("/payments", cursor=forged), 400, "invalid_cursor")


def test_cursor_belongs_to_its_merchant_list_and_filters(api: Api, shop: Merchant) -> None:
    for _ in range(2):
        payment = PaymentFactory(merchant=shop)
    stranger = PaymentFactory()
    cursor = api.get("/payments", limit="1", status="PENDING").json()["next_cursor"]
    other_shop = Api(ApiKeyFactory(merchant=stranger.merchant).secret)

    elsewhere = [
        other_shop.get("/payments", status="PENDING", cursor=cursor),
        api.get("/payments", cursor=cursor),
        api.get("/payments", status="FAILED", cursor=cursor),
        api.get("/disputes", status="PENDING", cursor=cursor),
        api.get(f"/payments/{payment.public_id}/refunds", status="PENDING", cursor=cursor),
    ]

    assert [response.status_code for response in elsewhere] == [400] * 5
    fine = api.get("/payments", limit="2", status="PENDING", cursor=cursor)
    assert len(fine.json()["results"]) == 1


@pytest.mark.parametrize("path", ["/payments", "/disputes", "/payments/{id}/refunds"])
def test_unknown_parameter_is_refused_and_not_ignored(api: Api, shop: Merchant, path: str) -> None:
    payment = PaymentFactory(merchant=shop)

    response = api.get(path.format(id=payment.public_id), state="FAILED")

    assert_problem(response, 400, "unknown_parameter")


def test_repeated_parameter_is_refused(api: Api) -> None:
    response = api.get("/payments?limit=1&limit=2")

    assert_problem(response, 400, "invalid_parameter")


@pytest.mark.parametrize(
    "query",
    [
        {"status": "SUCCESS"},
        {"status": ""},
        {"status": "pending"},
        {"currency": "eur"},
        {"currency": "XXX"},
        {"amount_min": "1.00"},
        {"amount_min": "1e2", "currency": "EUR"},
        {"amount_min": "1.000", "currency": "EUR"},
        {"amount_max": "", "currency": "EUR"},
        {"amount_max": "1" * 50, "currency": "EUR"},
        {"created_from": "2026-03-02"},
        {"created_from": "2026-03-02T09:30:00"},
        {"created_from": "2026-03-02 09:30:00Z"},
        {"created_from": "2026-02-30T09:30:00Z"},
        {"created_before": "2026-03-02T09:30:00+25:00"},
        {"created_before": "٢٠٢٦-03-02T09:30:00Z"},
        {"created_before": "yesterday"},
    ],
)
def test_filter_that_makes_no_sense_is_refused(api: Api, query: dict[str, str]) -> None:
    assert_problem(api.get("/payments", **query), 400, "invalid_parameter")


def test_list_is_filtered_by_amount_and_currency(api: Api, shop: Merchant) -> None:
    for text in ("9.99", "10.00", "20.00", "20.01"):
        PaymentFactory(merchant=shop, money=eur(text))
    PaymentFactory(merchant=shop, money=Money(1500, "JPY"))

    page = api.get("/payments", currency="EUR", amount_min="10", amount_max="20.00").json()
    yen = api.get("/payments", currency="JPY").json()

    assert [payment["amount"] for payment in page["results"]] == ["20.00", "10.00"]
    assert [payment["amount"] for payment in yen["results"]] == ["1500"]


def test_list_is_filtered_by_time_first_moment_included_last_not(api: Api, shop: Merchant) -> None:
    for hour in (8, 9, 10, 11):
        payment = PaymentFactory(merchant=shop, reference=f"at-{hour}")
        at = datetime(2026, 3, 2, hour, tzinfo=UTC)
        Payment.objects.filter(pk=payment.pk).update(created_at=at)

    page = api.get(
        "/payments",
        created_from="2026-03-02T09:00:00Z",
        created_before="2026-03-02T12:00:00+01:00",
    ).json()

    assert [payment["reference"] for payment in page["results"]] == ["at-10", "at-9"]


def test_list_costs_as_many_queries_as_one_payment(
    api: Api, shop: Merchant, django_assert_max_num_queries: object
) -> None:
    for _ in range(20):
        PaymentFactory(merchant=shop)

    with django_assert_max_num_queries(3):  # type: ignore[operator]
        page = api.get("/payments").json()

    assert len(page["results"]) == 20


def test_every_amount_is_text(api: Api, shop: Merchant) -> None:
    SucceededRefundFactory(payment__merchant=shop)

    response = api.get("/payments")

    payment = json.loads(response.content)["results"][0]
    for name in ("amount", "amount_captured", "amount_refunded", "fee"):
        assert isinstance(payment[name], str)
