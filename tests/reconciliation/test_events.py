"""What is told of runs and discrepancies."""

import json

import pytest

from payments.event_types import EVENT_TYPES
from payments.models import Event
from reconciliation.models import Discrepancy
from reconciliation.services.discrepancies import investigate, reopen, resolve
from reconciliation.services.runs import reconcile
from reconciliation.services.write_offs import (
    approve_write_off,
    refuse_write_off,
    reverse_write_off,
)
from tests.factories import ApiKeyFactory, MerchantFactory, SucceededPaymentFactory, eur
from tests.support.api import Api
from tests.support.endpoints import endpoint, heard_by, told_about
from tests.support.reports import DAY, charge, load, payout_row, report
from tests.support.write_offs import (
    CHECKER,
    MAKER,
    WHY,
    missing,
    propose,
    unexplained,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

OPENED, RESOLVED = "discrepancy.opened", "discrepancy.resolved"


def types_of(discrepancy: Discrepancy) -> list[str]:
    return [name for _, name in told_about(discrepancy.public_id)]


def test_difference_about_a_payment_is_its_merchants_to_hear(sources) -> None:
    discrepancy = missing(sources)
    merchant = discrepancy.payment.merchant
    api = Api(ApiKeyFactory(merchant=merchant, scopes=["reports:read"]).secret)

    event = Event.objects.get(subject=discrepancy.public_id)

    assert (event.type, event.merchant) == (OPENED, merchant)
    (shown,) = api.get("/discrepancies", type="missing_settlement").json()["results"]
    told = json.loads(event.data)
    assert told == {name: shown[name] for name in told}
    assert shown.keys() - told.keys() == EVENT_TYPES[OPENED].adds


def test_difference_about_a_bank_line_is_the_operators_to_hear(sources) -> None:
    shop, platform = endpoint(MerchantFactory()), endpoint(None, "discrepancy.*")

    discrepancy = unexplained(sources)

    event = Event.objects.get(subject=discrepancy.public_id)
    assert (event.type, event.merchant) == (OPENED, None)
    assert heard_by(platform) == [OPENED]
    assert heard_by(shop) == []


def test_run_is_told_with_what_it_found(sources) -> None:
    discrepancy = missing(sources)

    event = Event.objects.get(type="reconciliation.completed")

    run = discrepancy.opened_by
    assert (event.subject, event.merchant) == (run.public_id, None)
    data = json.loads(event.data)
    assert data["finished_at"] is not None
    assert (data["match_count"], data["discrepancy_count"]) == (
        run.match_count,
        run.discrepancy_count,
    )


def test_evidence_that_ends_a_difference_is_told_once(sources) -> None:
    discrepancy = missing(sources)

    load(sources[0], report(charge(discrepancy.payment, "txn_1")))
    reconcile(as_of=discrepancy.since)
    reconcile(as_of=discrepancy.since)

    discrepancy.refresh_from_db()
    assert discrepancy.status == "RESOLVED"
    assert types_of(discrepancy) == [OPENED, RESOLVED]


def test_run_that_finds_nothing_new_tells_nothing_of_what_is_open(sources) -> None:
    discrepancy = unexplained(sources)

    reconcile(as_of=DAY)

    assert types_of(discrepancy) == [OPENED]


def test_what_people_end_and_open_again_is_told(sources) -> None:
    discrepancy = unexplained(sources)

    investigate(discrepancy, actor=MAKER)
    resolve(discrepancy, actor=MAKER, **WHY)
    reopen(discrepancy, reason="Not yet.", actor=CHECKER)

    assert types_of(discrepancy) == [OPENED, RESOLVED, OPENED]
    resolved = Event.objects.get(type=RESOLVED)
    assert json.loads(resolved.data)["status"] == "RESOLVED"


def test_taking_it_out_of_somebodys_hands_is_no_event(sources) -> None:
    discrepancy = unexplained(sources)

    investigate(discrepancy, actor=MAKER)
    reopen(discrepancy, reason="Nobody is at it.", actor=CHECKER)

    assert types_of(discrepancy) == [OPENED]


def test_write_off_is_told_when_it_is_posted_and_when_it_is_taken_back(sources) -> None:
    discrepancy = unexplained(sources)

    refuse_write_off(propose(discrepancy), actor=CHECKER, reason="Not so.")
    assert types_of(discrepancy) == [OPENED]
    write_off = approve_write_off(propose(discrepancy), actor=CHECKER)
    assert types_of(discrepancy) == [OPENED, RESOLVED]
    reverse_write_off(write_off, reason="The wrong one.", actor=CHECKER)

    assert types_of(discrepancy) == [OPENED, RESOLVED, OPENED]
    statuses = [
        json.loads(event.data)["status"]
        for event in Event.objects.filter(subject=discrepancy.public_id).order_by("sequence")
    ]
    assert statuses == ["OPEN", "WRITTEN_OFF", "OPEN"]


def test_line_that_comes_after_the_write_off_opens_it_again(sources) -> None:
    discrepancy = missing(sources)
    approve_write_off(propose(discrepancy), actor=CHECKER)

    load(sources[0], report(charge(discrepancy.payment, "txn_1")))
    reconcile(as_of=discrepancy.since)

    discrepancy.refresh_from_db()
    assert discrepancy.status == "OPEN"
    assert types_of(discrepancy) == [OPENED, RESOLVED, OPENED]


def test_thousands_are_told_in_a_few_statements(sources, django_assert_max_num_queries) -> None:
    merchant = MerchantFactory()
    payments = [SucceededPaymentFactory(merchant=merchant, money=eur("10.00")) for _ in range(30)]
    day = payments[-1].settlement_due_on
    load(sources[0], report(payout_row("po_000001", "1.00", day=day)))

    with django_assert_max_num_queries(150):  # 30 of them one by one would be 90 more
        reconcile(as_of=day)

    found = Event.objects.filter(type=OPENED, merchant=merchant)
    assert found.count() == 30
