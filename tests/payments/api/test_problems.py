"""Every refusal is problem+json with a request id, wherever in the stack it comes from."""

import gzip
import io
import json
import logging
from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client

from config.logs import LineFormatter
from payments.models import Payment
from tests.support.api import Api, assert_problem


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged, as our lines say it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter("%(levelname)s %(name)s %(request_id)s %(message)s"))
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("path", ["/nothing", "/payments/", "/payments/pay_1/nothing", "/../x"])
def test_unknown_path_is_404(api: Api, path: str) -> None:
    assert_problem(api.get(path), 404, "not_found")


def test_unknown_path_outside_the_api_is_404_too() -> None:
    assert_problem(Client().get("/nothing"), 404, "not_found")


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
def test_method_that_is_not_there_is_405(api: Api, method: str) -> None:
    ask = getattr(api.client, method)

    for path in ("/api/v1/payments", "/api/v1/payments/pay_1"):
        response = ask(path, headers=api.authorization)

        assert_problem(response, 405, "method_not_allowed")
        assert "GET" in response["Allow"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "parse_error"),
        ("not json", "parse_error"),
        ('{"amount": }', "parse_error"),
        ('{"amount": "1.00",}', "parse_error"),
        ('{"amount": "1.00"} {}', "parse_error"),
        ('{"amount": "1.00", "amount": "100.00"}', "duplicate_key"),
        ('{"merchantId": "shop", "merchant_id": "shop"}', "duplicate_key"),
        ("\ufeff{}", "parse_error"),
        (b"\xff\xfe{\x00}\x00", "parse_error"),
        (b'{"source": "\xff"}', "parse_error"),
        ('{"a": ' + "[" * 16 + "]" * 16 + "}", "too_deep"),
        ("[" * 100_000, "too_deep"),
        ('{"a":' * 40_000, "too_deep"),
        ('{"amount": NaN}', "invalid_number"),
        ('{"amount": 1e400}', "invalid_number"),
        ('{"amount": ' + "9" * 5_000 + "}", "invalid_number"),
        ("null", "not_an_object"),
        ("[]", "not_an_object"),
        ('"text"', "not_an_object"),
        ("5", "not_an_object"),
        ("[{}]", "not_an_object"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_body_that_cannot_be_read_is_refused(api: Api, body: str | bytes, code: str) -> None:
    assert_problem(api.post("/payments", body), 400, code)

    assert not Payment.objects.exists()


def test_sixteen_levels_are_not_too_deep(api: Api) -> None:
    body = '{"metadata": ' + "[" * 15 + "]" * 15 + "}"

    assert_problem(api.post("/payments", body), 422, "invalid_request")


def test_empty_body_lacks_every_field(api: Api) -> None:
    assert_problem(api.post("/payments", ""), 422, "invalid_request")


def test_body_of_256_kib_is_read_and_a_longer_one_is_413(api: Api) -> None:
    body = json.dumps({"amount": "1.00", "currency": "EUR", "source": "tok_visa"})

    assert api.post("/payments", body.ljust(256 * 1024)).status_code == 202
    assert_problem(api.post("/payments", body.ljust(256 * 1024 + 1)), 413, "body_too_large")
    assert_problem(api.post("/payments", body.ljust(5_000_000)), 413, "body_too_large")
    assert Payment.objects.count() == 1


def test_body_in_chunks_is_411_and_not_read_as_an_empty_one(api: Api) -> None:
    headers = {**api.authorization, "Idempotency-Key": "k", "Transfer-Encoding": "chunked"}

    response = api.client.post("/api/v1/payments", headers=headers)

    assert_problem(response, 411, "length_required")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
def test_compressed_body_is_415(api: Api, encoding: str) -> None:
    body = gzip.compress(b'{"amount": "1.00", "currency": "EUR", "source": "tok_visa"}')

    response = api.client.post(
        "/api/v1/payments",
        body,
        content_type="application/json",
        headers={**api.authorization, "Idempotency-Key": "k", "Content-Encoding": encoding},
    )

    assert_problem(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "latin-1"])
def test_body_in_another_character_set_is_415(api: Api, charset: str) -> None:
    response = api.post("/payments", "{}", content_type=f"application/json; charset={charset}")

    assert_problem(response, 415, "unsupported_media_type")


def test_unknown_fields_are_named_beside_what_else_is_wrong(api: Api) -> None:
    wish = {"amount": [], "Amount": "5.00", "status": "SUCCEEDED", "id": "pay_1"}

    body = assert_problem(api.pay(**wish), 422, "invalid_request")

    assert sorted((error["pointer"], error["code"]) for error in body["errors"]) == [
        ("#/Amount", "unknown_field"),
        ("#/amount", "invalid"),
        ("#/id", "unknown_field"),
        ("#/status", "unknown_field"),
    ]
    assert not Payment.objects.exists()


def test_one_unknown_field_is_what_the_problem_is_called(api: Api) -> None:
    body = assert_problem(api.pay(amout="5.00"), 422, "unknown_field")

    assert [(error["pointer"], error["code"]) for error in body["errors"]] == [
        ("#/amout", "unknown_field")
    ]


def test_pointer_to_a_strange_name_is_plain_text(api: Api) -> None:
    body = assert_problem(api.pay(**{"a/b~\ud800\n": "1"}), 422, "unknown_field")

    assert [error["pointer"] for error in body["errors"]] == ["#/a~1b~0\\ud800\\n"]


def test_database_that_is_away_is_503_everywhere(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("connection to server failed: secret host")

    with monkeypatch.context() as patched:
        patched.setattr(BaseDatabaseWrapper, "cursor", away)
        login = api.client.post("/admin/login/", {"username": "a", "password": "b"})
        answers = [api.pay(), api.get("/payments"), login]

    for response in answers:
        body = assert_problem(response, 503, "database_unavailable")
        assert response["Retry-After"] == "1"
        assert "secret" not in json.dumps(body)


def test_host_that_is_not_ours_is_400(api: Api, settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS = ["pay.example.com"]

    assert_problem(api.get("/payments"), 400, "bad_request")


def test_log_line_of_a_crash_has_the_request_id_and_the_trace(
    api: Api, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("inside 4111 1111 1111 1111")

    monkeypatch.setattr("payments.api.payments.payments_of", crash)

    response = api.get("/payments")

    assert response.status_code == 500
    said = log.getvalue()
    assert f"ERROR django.request {response['Request-Id']} Internal Server Error" in said
    assert "RuntimeError: inside [card number]" in said


def test_id_of_the_client_goes_into_the_log_only(api: Api, log: io.StringIO) -> None:
    for client_id in ("order-7", "a" * 65, "x y", 'a"b', "7\n8"):
        headers = {**api.authorization, "Client-Request-Id": client_id}
        response = api.client.get("/api/v1/payments", headers=headers)
        assert client_id not in str(response.headers)

    said = [line for line in log.getvalue().splitlines() if "client=" in line]
    assert len(said) == 1
    assert said[0].endswith("client=order-7 GET /api/v1/payments 200")


def test_log_line_has_one_line_and_no_card_number() -> None:
    formatter = LineFormatter("%(levelname)s %(request_id)s %(message)s")
    text = 'GET /x\r\n{"level": "fatal"} \x1b[31m 4111-1111-1111-1111 \u202e'

    line = formatter.format(logging.LogRecord("x", 30, "x", 1, text, None, None))

    assert line == r'WARNING - GET /x\r\n{"level": "fatal"} \x1b[31m [card number] \u202e'


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "multipart/form-data; boundary=x", "text/json", ""],
)
def test_body_of_another_type_is_415(api: Api, content_type: str) -> None:
    response = api.post("/payments", "{}", content_type=content_type)

    assert_problem(response, 415, "unsupported_media_type")


def test_answer_in_another_type_is_406(api: Api) -> None:
    response = api.client.get(
        "/api/v1/payments", headers={**api.authorization, "Accept": "application/xml"}
    )

    assert_problem(response, 406, "not_acceptable")


def test_every_answer_has_a_request_id_of_its_own(api: Api) -> None:
    answers = [api.get("/payments"), api.get("/health"), api.get("/nothing"), api.pay()]

    ids = [answer["Request-Id"] for answer in answers]
    assert all(request_id.startswith("req_") for request_id in ids)
    assert len(set(ids)) == 4


def test_crash_says_nothing_but_a_request_id_to_quote(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("payments.api.payments.payments_of", crash)

    response = api.get("/payments")

    body = assert_problem(response, 500, "internal_error")
    assert "secret" not in json.dumps(body)


def test_schema_is_valid_openapi_3_1_that_knows_every_path(api: Api, tmp_path: object) -> None:
    response = api.client.get("/api/schema", {"format": "json"})

    schema = json.loads(response.content)
    assert response.status_code == 200
    assert schema["openapi"] == "3.1.1"
    assert {
        "/api/v1/payments": {"get", "post"},
        "/api/v1/payments/{payment_id}": {"get"},
        "/api/v1/payments/{payment_id}/refunds": {"get", "post"},
        "/api/v1/refunds/{refund_id}": {"get"},
    }.items() <= {path: set(item) for path, item in schema["paths"].items()}.items()


def test_schema_is_generated_without_a_warning(tmp_path: object) -> None:
    from django.core.management import call_command

    call_command("spectacular", "--validate", "--fail-on-warn", f"--file={tmp_path}/schema.yml")


def test_docs_need_no_key_and_no_other_host(api: Api) -> None:
    page = Client().get("/api/docs")

    assert page.status_code == 200
    assert b"https://cdn" not in page.content


def test_health_answers_and_ready_looks(api: Api) -> None:
    health, ready = api.get("/health"), api.get("/ready")

    assert (health.status_code, health.json()) == (200, {"status": "OK"})
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "READY", "components": {"database": "UP", "cache": "UP", "queue": "UP"}},
    )
