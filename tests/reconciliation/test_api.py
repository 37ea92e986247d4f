"""/reconciliation and /discrepancies: a merchant reads what was reported of its payments."""

from datetime import timedelta

import pytest

from payments.models import Merchant
from reconciliation.models import ReconciliationRun
from reconciliation.services.runs import reconcile
from tests.factories import (
    ApiKeyFactory,
    GatewayFactory,
    MerchantFactory,
    SucceededPaymentFactory,
    eur,
)
from tests.support.api import Api, assert_problem
from tests.support.reports import charge, define_sources, load, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


def api_of(merchant: Merchant) -> Api:
    return Api(ApiKeyFactory(merchant=merchant, scopes=["reports:read"]).secret)


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop")


@pytest.fixture
def api(shop: Merchant) -> Api:
    """A shop with a payment in each state that a report can leave it in."""
    GatewayFactory()
    processor, _ = define_sources()
    fine, less, twice, later = (
        SucceededPaymentFactory(merchant=shop, money=eur("100.00"), reference=f"ORDER-000{n}")
        for n in range(4)
    )
    later.settlement_due_on += timedelta(days=10)
    later.save()
    rows = [
        charge(fine, "txn_1"),
        charge(less, "txn_2", gross="98.00", customer_facing_amount="98.00"),
        charge(twice, "txn_3"),
        charge(twice, "txn_3b"),
    ]
    load(processor, report(*rows))
    reconcile()
    return api_of(shop)


def statuses(api: Api, **query: str) -> dict[str, str]:
    page = api.get("/reconciliation/results", **query).json()
    return {result["reference"]: result["status"] for result in page["results"]}


def test_each_payment_says_what_became_of_it(api: Api) -> None:
    assert statuses(api) == {
        "ORDER-0000": "MATCHED",
        "ORDER-0001": "MISMATCHED",
        "ORDER-0002": "DUPLICATE",
        "ORDER-0003": "SETTLEMENT_PENDING",
    }
    assert statuses(api, status="MISMATCHED") == {"ORDER-0001": "MISMATCHED"}


def test_overdue_payment_is_missing(api: Api) -> None:
    reconcile(as_of=ReconciliationRun.objects.get().as_of.replace(year=2030))

    assert statuses(api)["ORDER-0003"] == "MISSING_SETTLEMENT"


def test_match_names_its_rule_and_run(api: Api) -> None:
    run = ReconciliationRun.objects.get()

    (result,) = api.get("/reconciliation/results", status="MATCHED").json()["results"]
    shown = api.get(f"/reconciliation/runs/{run.public_id}").json()

    assert (result["rule"], result["run_id"]) == ("exact_reference", run.public_id)
    assert (shown["match_count"], shown["discrepancy_count"]) == (3, 2)


def test_discrepancies_are_those_of_the_merchant(api: Api) -> None:
    page = api.get("/discrepancies").json()

    assert sorted((row["type"], row["status"], row["amount"]) for row in page["results"]) == [
        ("amount_mismatch", "OPEN", "-2.00"),
        ("duplicate_line", "OPEN", "98.35"),
    ]


def test_others_see_nothing_of_it(api: Api) -> None:
    other = api_of(MerchantFactory())
    run = ReconciliationRun.objects.get()

    assert other.get("/reconciliation/results").json()["results"] == []
    assert other.get("/discrepancies").json()["results"] == []
    assert_problem(other.get(f"/reconciliation/runs/{run.public_id}"), 404, "run_not_found")
