"""/reconciliation and /discrepancies: a merchant reads what was reported of its payments."""

from datetime import timedelta

import pytest

from payments.models import Merchant
from payments.services.processing import process_payments
from reconciliation.models import ReconciliationRun
from reconciliation.selectors import source_by_code
from reconciliation.services.runs import reconcile
from tests.factories import (
    ApiKeyFactory,
    DisputeFactory,
    GatewayFactory,
    MerchantFactory,
    PaymentFactory,
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
    assert (shown["match_count"], shown["discrepancy_count"]) == (3, 3)
    assert shown["trigger"] == "full"


def test_discrepancies_are_those_of_the_merchant(api: Api) -> None:
    page = api.get("/discrepancies").json()

    assert sorted((row["type"], row["status"], row["amount"]) for row in page["results"]) == [
        ("amount_mismatch", "OPEN", "-2.00"),
        ("duplicate_line", "OPEN", "98.35"),
        ("settlement_pending", "OPEN", "100.00"),
    ]


def test_discrepancy_has_its_sides_its_age_what_to_do_and_what_it_leaves_open(api: Api) -> None:
    listed = api.get("/discrepancies", type="amount_mismatch").json()["results"]
    shown = api.get(f"/discrepancies/{listed[0]['id']}").json()

    assert shown.items() >= listed[0].items()
    assert (shown["amount"], shown["expected"], shown["actual"]) == (
        "-2.00",
        "100.00 EUR",
        "98.00 EUR",
    )
    assert (shown["age_bucket"], shown["action"]["code"]) == ("2-7", "compare_with_order")
    assert shown["open_amounts"] == [{"amount": "2.00", "currency": "EUR"}]


def test_discrepancy_of_a_dispute_is_its_merchants(api: Api, shop: Merchant) -> None:
    payment = shop.payments.get(reference="ORDER-0000")
    dispute = DisputeFactory(payment=payment)
    reconcile(as_of=dispute.effective_at.date() + timedelta(days=30))

    page = api.get("/discrepancies", type="dispute_not_in_settlement").json()

    (shown,) = page["results"]
    assert (shown["dispute_id"], shown["payment_id"]) == (dispute.public_id, None)
    assert shown["amount"] == "-40.00"
    detail = api.get(f"/discrepancies/{shown['id']}").json()
    assert detail["open_amounts"] == [{"amount": "-40.00", "currency": "EUR"}]


def test_payment_that_failed_and_is_reported_all_the_same_is_unexpected(
    api: Api, shop: Merchant
) -> None:
    failed = PaymentFactory(
        merchant=shop, money=eur("30.00"), reference="ORDER-9999", source="tok_declined"
    )
    process_payments()
    failed.refresh_from_db()
    assert (failed.status, statuses(api).get("ORDER-9999")) == ("FAILED", None)
    paid = shop.payments.get(reference="ORDER-0000")
    row = charge(paid, "txn_9", **{"payment_metadata[reference]": "ORDER-9999"})
    load(source_by_code("sim"), report(row))
    reconcile()

    assert statuses(api, status="UNEXPECTED") == {"ORDER-9999": "UNEXPECTED"}
    assert statuses(api_of(MerchantFactory())) == {}


def test_runs_are_those_that_were_about_the_merchant_newest_first(api: Api) -> None:
    first = ReconciliationRun.objects.get()
    reconcile()  # finds nothing more
    reconcile(as_of=first.as_of.replace(year=2030))

    page = api.get("/reconciliation/runs", limit="1").json()
    rest = api.get("/reconciliation/runs", limit="1", cursor=page["next_cursor"]).json()

    assert [run["as_of"][:4] for run in page["results"]] == ["2030"]
    assert [run["id"] for run in rest["results"]] == [first.public_id]
    assert rest["has_more"] is False


def test_others_see_nothing_of_it(api: Api) -> None:
    other = api_of(MerchantFactory())
    run = ReconciliationRun.objects.get()

    assert other.get("/reconciliation/results").json()["results"] == []
    assert other.get("/discrepancies").json()["results"] == []
    assert other.get("/reconciliation/runs").json()["results"] == []
    assert_problem(other.get(f"/reconciliation/runs/{run.public_id}"), 404, "run_not_found")
    listed = api.get("/discrepancies").json()["results"]
    shown = other.get(f"/discrepancies/{listed[0]['id']}")
    assert_problem(shown, 404, "discrepancy_not_found")
