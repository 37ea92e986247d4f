"""Every refusal is problem+json with a request id, wherever in the stack it comes from."""

import json

import pytest
from django.test import Client

from payments.models import Payment
from tests.support.api import Api, assert_problem


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
    "body",
    [
        "",
        "{",
        "not json",
        '{"amount": }',
        '{"amount": "1.00",}',
        '{"amount": "1.00", "amount": "100.00"}',
        "\ufeff{}",
        b"\xff\xfe{\x00}\x00",
        b'{"source": "\xff"}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"amount": ' + "9" * 5_000 + "}",
    ],
    ids=[
        *("empty", "cut off", "text", "no value", "comma", "name twice", "bom", "utf-16"),
        *("no utf-8", "deep lists", "deep objects", "huge number"),
    ],
)
def test_body_that_is_no_json_is_refused(api: Api, body: str | bytes) -> None:
    response = api.post("/payments", body)

    status, code = (422, "invalid_request") if body == "" else (400, "parse_error")
    assert_problem(response, status, code)
    assert not Payment.objects.exists()


@pytest.mark.parametrize("body", ["null", "[]", '"text"', "5", "true", "[{}]"])
def test_body_that_is_no_object_is_refused(api: Api, body: str) -> None:
    assert_problem(api.post("/payments", body), 422, "invalid_request")


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

    monkeypatch.setattr("payments.api.payments.create_payment", crash)

    response = api.pay()

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
