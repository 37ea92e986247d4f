"""/metrics: what is counted, for whom, and without a database too."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.conf import LazySettings
from django.db import connection, transaction
from django.http import HttpResponse
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from config import metrics_port, table_metrics
from config.metrics import Metrics
from config.table_metrics import Recent
from ledger import sql
from ledger.states import move
from payments.models import ApiKey, Heartbeat, Payment
from payments.services.parking import park
from payments.services.processing import process_payments
from payments.work import claim
from reconciliation.services.runs import reconcile
from tests.factories import (
    ApiKeyFactory,
    AuthorizedPaymentFactory,
    PaymentFactory,
    SucceededPaymentFactory,
)
from tests.support.api import Api, assert_problem
from tests.support.reports import charge, define_sources, load, report

TOKEN = "t" * 32
ACCEPTED_BY_PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> None:
    monkeypatch.setattr(Metrics, "recent", Recent())
    settings.METRICS_TOKEN = TOKEN


def scrape() -> HttpResponse:
    api = Api(TOKEN)
    headers = {**api.authorization, "Accept": ACCEPTED_BY_PROMETHEUS}
    return api.client.get("/api/v1/metrics", headers=headers)


def samples(response: HttpResponse) -> dict[tuple[str, ...], float]:
    """By name and the values of the labels in the order of their names, as Prometheus reads it."""
    text = response.content.decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


@pytest.fixture
def api(db: None) -> Api:
    return Api(ApiKeyFactory().secret)


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    """Committed, because the figures are read on a connection of their own."""
    return


def test_operators_and_the_scraper_may_read(db: None, settings: LazySettings) -> None:
    operator = Api(ApiKeyFactory(scopes=[ApiKey.Scope.OPERATOR]).secret)
    merchant = Api(ApiKeyFactory(scopes=[ApiKey.Scope.PAYMENTS_READ]).secret)

    for response in (scrape(), operator.get("/metrics")):
        assert response.status_code == 200
        assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert_problem(merchant.get("/metrics"), 403, "permission_denied")
    assert_problem(Api(None).get("/metrics"), 401, "not_authenticated")
    assert_problem(Api("u" * 32).get("/metrics"), 401, "authentication_failed")
    settings.METRICS_TOKEN = ""
    assert_problem(scrape(), 401, "authentication_failed")


def test_path_prometheus_asks_by_itself_leads_there(api: Api) -> None:
    response = api.client.get("/metrics")

    assert (response.status_code, response["Location"]) == (302, "/api/v1/metrics")


def test_open_payments_are_counted_by_gateway_and_state(committed: None) -> None:
    gateway = SucceededPaymentFactory().gateway.code
    AuthorizedPaymentFactory()
    PaymentFactory(source="tok_timeout")
    process_payments()
    PaymentFactory()
    PaymentFactory()
    park(claim(Payment, limit=1, becomes={"PENDING": "PROCESSING"})[0], "it killed its workers")

    found = samples(scrape())

    states = {key[2]: value for key, value in found.items() if key[0] == "tieout_payments_open"}
    assert states == {"PENDING": 1, "PROCESSING": 2, "AUTHORIZED": 1}
    assert found["tieout_payments_unknown", gateway] == 2
    assert 0 <= found["tieout_payments_unknown_oldest_seconds", gateway] < 60
    assert found["tieout_queue_rows", "payments_payment", "due"] == 1
    assert found["tieout_queue_rows", "payments_payment", "parked"] == 1
    assert found["tieout_queue_rows", "payments_refund", "due"] == 0


def test_payment_a_worker_is_asking_about_is_not_unknown(committed: None) -> None:
    gateway = PaymentFactory().gateway.code
    claim(Payment, becomes={"PENDING": "PROCESSING"})

    found = samples(scrape())

    assert found["tieout_payments_open", gateway, "PROCESSING"] == 1
    assert found["tieout_payments_unknown", gateway] == 0
    assert found["tieout_queue_rows", "payments_payment", "in_flight"] == 1


def test_what_is_final_is_never_counted_by_reading_it(committed: None) -> None:
    """The statement finds open payments by the index of what is due, among however many others."""
    payment = SucceededPaymentFactory()
    with connection.cursor() as cursor:
        columns = [field.column for field in Payment._meta.concrete_fields if not field.primary_key]
        taken = {
            "public_id": "'pay_' || n",
            "idempotency_key": "'k' || n",
            "reference": "'r' || n",
        }
        chosen = ", ".join(taken.get(name, name) for name in columns)
        cursor.execute(
            f"INSERT INTO payments_payment ({', '.join(columns)})"
            f" SELECT {chosen} FROM payments_payment, generate_series(1, 20000) AS n WHERE id = %s",
            [payment.pk],
        )
        cursor.execute("ANALYZE payments_payment")
        cursor.execute("EXPLAIN " + sql.statement("payments", "count_open_payments"))
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "payments_payment_due" in plan
    assert "Seq Scan on payments_payment" not in plan


def test_open_items_are_counted_by_source(committed: None) -> None:
    payment = SucceededPaymentFactory()
    processor, _ = define_sources()
    load(processor, report(charge(payment, "txn_1", gross="90.00", customer_facing_amount="90.00")))
    reconcile()

    found = samples(scrape())

    assert found["tieout_reconciliation_open_items", "EUR", processor.code] == 1
    assert found["tieout_reconciliation_open_amount", "EUR", processor.code] == 10.0


def test_workers_are_counted_once_however_many_processes_they_have(committed: None) -> None:
    for pid in (8, 9):
        Heartbeat.objects.create(node="celery@here 7", pid=pid)

    assert samples(scrape())["tieout_workers_alive",] == 1


def test_figures_of_tables_are_a_few_seconds_old_at_most(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    scrape()
    PaymentFactory()
    assert samples(scrape())["tieout_queue_rows", "payments_payment", "due"] == 0

    monkeypatch.setattr(table_metrics, "FRESH_SECONDS", 0)

    assert samples(scrape())["tieout_queue_rows", "payments_payment", "due"] == 1


def test_part_that_takes_too_long_is_left_out(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(_: object) -> list[object]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(10)")
        return []

    monkeypatch.setattr(table_metrics, "STATEMENT_TIMEOUT", "50ms")
    monkeypatch.setitem(table_metrics.PARTS, "queues", sleep)

    found = samples(scrape())

    assert found["tieout_tables_read", "queues"] == 0
    assert found["tieout_tables_read", "payments"] == 1
    assert found["tieout_workers_alive",] == 0


def test_processes_have_counted_although_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nowhere")

    response = scrape()

    assert response.status_code == 200
    found = samples(response)
    assert found["tieout_tables_read", "payments"] == 0
    assert ("tieout_doorbells_total", "failed") in found
    assert ("tieout_workers_alive",) not in found


def test_requests_are_counted_by_route_method_and_status(api: Api) -> None:
    route = "/api/v1/payments/<str:payment_id>"
    names = [
        ("tieout_http_requests_total", {"route": route, "method": "GET", "status": "404"}),
        ("tieout_http_request_seconds_count", {"route": route, "method": "GET"}),
        ("tieout_http_refusals_total", {"code": "payment_not_found"}),
    ]
    before = [counted(name, **labels) for name, labels in names]

    api.get("/payments/pay_1")
    api.get("/payments/pay_2")

    assert [counted(name, **labels) for name, labels in names] == [each + 2 for each in before]


def test_what_clients_make_up_becomes_no_label(api: Api) -> None:
    def label_count() -> int:
        return sum(
            len(metric.samples)
            for metric in REGISTRY.collect()
            if metric.name.startswith("tieout_http")
        )

    def ask(number: int) -> None:
        api.get(f"/made-up/{number}")
        api.client.get(f"/made-up/{number}")
        api.client.get(f"/admin/made-up/{number}/")
        api.client.generic(f"MADEUP{number}", "/api/v1/payments")

    ask(1)
    before = label_count()
    for number in range(2, 6):
        ask(number)

    assert label_count() == before


def test_what_the_engine_does_is_counted(committed: None) -> None:
    done = {"queue": "payments_payment", "outcome": "written"}
    names = [
        ("tieout_work_attempts_total", done),
        ("tieout_state_changes_total", {"machine": "payment", "status": "SUCCEEDED"}),
        ("tieout_state_changes_total", {"machine": "payment", "status": "FAILED"}),
        ("tieout_ledger_batch_entries_sum", {}),
        ("tieout_ledger_batch_entries_count", {}),
        ("tieout_ledger_batch_seconds_count", {}),
        ("tieout_work_batch_seconds_count", {"queue": "payments_payment"}),
    ]
    for source in ("tok_visa", "tok_visa", "tok_declined"):
        gateway = PaymentFactory(source=source).gateway.code
    answers = ("accepted", "declined")
    names += [
        ("tieout_gateway_answers_total", {"gateway": gateway, "answer": answer})
        for answer in answers
    ]
    names += [
        ("tieout_gateway_seconds_count", {"gateway": gateway, "answer": answer})
        for answer in answers
    ]
    before = [counted(name, **labels) for name, labels in names]

    process_payments()

    increases = [
        counted(name, **labels) - value for (name, labels), value in zip(names, before, strict=True)
    ]
    assert increases == [3, 2, 1, 2, 1, 1, 1, 2, 1, 1, 1]


def test_state_that_did_not_come_true_is_not_counted(committed: None) -> None:
    labels = {"machine": "payment", "status": "PROCESSING"}
    payment = PaymentFactory()
    before = counted("tieout_state_changes_total", **labels)

    with suppress(ValueError), transaction.atomic():
        move(payment, Payment.Status.PROCESSING)
        raise ValueError

    assert counted("tieout_state_changes_total", **labels) == before


def test_worker_shows_its_own_to_the_token_only() -> None:
    said = []

    def ask(authorization: str) -> bytes:
        environ = {"HTTP_AUTHORIZATION": authorization}
        (body,) = metrics_port.answer(environ, lambda *line: said.append(line))
        return body

    assert b"tieout_doorbells_total" in ask(f"Bearer {TOKEN}")
    assert [ask(sent) for sent in ("", "Bearer ", f"bearer {TOKEN}x", "Bearer \xff")] == [b""] * 4
    assert [status for status, _ in said] == ["200 OK", *["401 Unauthorized"] * 4]
