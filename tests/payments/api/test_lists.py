"""Lists a page at a time, filtered, without gaps."""

import json

import pytest

from payments.models import Merchant
from tests.factories import (
    PaymentFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
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
    assert_problem(api.get("/payments", limit=limit), 422, "invalid_limit")


@pytest.mark.parametrize("cursor", ["1", "abc", "MQ:1:forged", "x" * 5_000])
def test_cursor_of_our_own_making_only(api: Api, cursor: str) -> None:
    assert_problem(api.get("/payments", cursor=cursor), 422, "invalid_cursor")


def test_cursor_that_was_changed_is_refused(api: Api, shop: Merchant) -> None:
    for _ in range(2):
        PaymentFactory(merchant=shop)
    cursor = api.get("/payments", limit="1").json()["next_cursor"]

    for forged in (cursor[:-1], cursor + "A", "A" + cursor[1:]):
        assert_problem(api.get("/payments", cursor=forged), 422, "invalid_cursor")


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
