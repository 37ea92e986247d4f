"""/settlements and /payouts: a merchant reads what it was settled and paid."""

import pytest

from ledger.actors import Actor
from payments.models import Merchant
from settlements.models import Payout
from settlements.services.batches import run_settlement
from tests.factories import (
    ApiKeyFactory,
    MerchantFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.api import Api, assert_problem
from tests.support.payouts import sent as sent_in_file

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

SYSTEM = Actor.system("settlement")


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop")


@pytest.fixture
def api(shop: Merchant) -> Api:
    return Api(ApiKeyFactory(merchant=shop, scopes=["reports:read"]).secret)


@pytest.fixture
def settled(shop: Merchant) -> tuple[str, str]:
    """100.00 and 50.00 paid, 20.00 given back: ids of the payment of 100.00 and of the batch."""
    payment = SucceededPaymentFactory(merchant=shop, money=eur("100.00"))
    SucceededPaymentFactory(merchant=shop, money=eur("50.00"))
    SucceededRefundFactory(payment=payment, money=eur("20.00"))
    (batch,) = run_settlement(payment.effective_at.date(), actor=SYSTEM)
    return payment.public_id, batch.public_id


def test_settlement_shows_what_the_day_earned(api: Api, settled: tuple[str, str]) -> None:
    (listed,) = api.get("/settlements").json()["results"]

    shown = api.get(f"/settlements/{settled[1]}").json()

    assert shown == listed
    assert {name: shown[name] for name in ("status", "currency", "line_count", "carried_in")} == {
        "status": "CLOSED",
        "currency": "EUR",
        "line_count": 3,
        "carried_in": "0.00",
    }
    assert [shown[name] for name in ("gross", "fee", "net", "payout_amount")] == [
        "130.00",
        "4.95",
        "125.05",
        "125.05",
    ]


def test_lines_of_a_settlement_add_up_to_it(api: Api, settled: tuple[str, str]) -> None:
    page = api.get(f"/settlements/{settled[1]}/lines", limit="2").json()
    rest = api.get(f"/settlements/{settled[1]}/lines", limit="2", cursor=page["next_cursor"]).json()

    lines = page["results"] + rest["results"]
    assert sorted(line["net"] for line in lines) == ["-20.00", "48.25", "96.80"]
    assert settled[0] in {line["payment_id"] for line in lines}
    assert not rest["has_more"]


def test_payout_shows_how_far_it_is(api: Api, settled: tuple[str, str]) -> None:
    (due,) = api.get("/payouts").json()["results"]
    sent_in_file([Payout.objects.get()])

    sent = api.get(f"/payouts/{due['id']}").json()

    assert (due["status"], due["sent_at"], due["amount"]) == ("PENDING_APPROVAL", None, "125.05")
    assert (sent["status"], sent["settlement_id"]) == ("SENT", settled[1])
    assert sent["sent_at"] is not None
    assert (sent["bank_account"], sent["failure_code"]) == ("NL…4300", "")
    assert api.get("/payouts", status="PAID").json()["results"] == []


def test_somebody_elses_settlement_and_payout_are_not_there(settled: tuple[str, str]) -> None:
    other = Api(ApiKeyFactory(merchant=MerchantFactory(), scopes=["reports:read"]).secret)

    assert_problem(other.get(f"/settlements/{settled[1]}"), 404, "settlement_not_found")
    assert_problem(other.get(f"/settlements/{settled[1]}/lines"), 404, "settlement_not_found")
    assert_problem(other.get("/payouts/mpo_1"), 404, "payout_not_found")
    assert other.get("/settlements").json()["results"] == []
