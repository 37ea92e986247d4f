"""OAS-01 and SEC-09: docs/openapi.yaml is what the code says, and says everything."""

from typing import Any

import pytest
import yaml
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from config.openapi import METHODS, is_idempotent, operations_of
from tests.support.contract import PAGE
from tests.support.routes import operations

SCHEMA = SchemaGenerator().get_schema(request=None, public=True)
OPERATIONS = {each["operationId"]: each for each in operations_of(SCHEMA)}
# In the order of docs/api.md: what moves or promises money.
IDEMPOTENT = {
    "create_payment",
    "create_payment_batch",
    "capture_payment",
    "cancel_payment",
    "create_refund",
    "create_transaction",
    "refund_transaction",
}
# 202 for a file that is new, 200 for one that was sent before.
ANSWERS_TWO_WAYS = {"send_statement_file": {"200", "202"}}
TAKES_FILES = {"send_statement_file": {"application/octet-stream", "multipart/form-data"}}


def resolved(part: Any) -> Any:
    """The part itself, or what it refers to."""
    if "$ref" not in part:
        return part
    found: Any = SCHEMA
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


def bodies(part: dict[str, Any]) -> list[dict[str, Any]]:
    """The schema and those inside it."""
    part = resolved(part)
    inside = [*part.get("properties", {}).values(), *part.get("allOf", []), *part.get("oneOf", [])]
    if "items" in part:
        inside.append(part["items"])
    return [part, *(each for inner in inside for each in bodies(inner))]


def test_oas_01_committed_page_is_what_the_code_says() -> None:
    assert yaml.safe_load(PAGE.read_text()) == SCHEMA, "make openapi writes it."


def test_oas_01_page_is_valid_openapi_3_1() -> None:
    validate_schema(SCHEMA)
    assert SCHEMA["openapi"].startswith("3.1.")


def test_oas_01_server_shows_the_same_page() -> None:
    shown = yaml.safe_load(Client().get("/api/schema").content)

    assert shown == SCHEMA


def test_sec_09_page_has_every_route_and_no_other() -> None:
    documented = {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, item in SCHEMA["paths"].items()
        for method in item
        if method in METHODS
    }

    assert documented == {str(operation) for operation in operations()}


def test_names_of_operations_are_unique() -> None:
    assert len(OPERATIONS) == len(operations())


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_says_what_it_does_takes_and_refuses(name: str) -> None:
    operation = OPERATIONS[name]
    answers = operation["responses"]
    successes = {status for status in answers if status < "400"}

    assert operation["summary"]
    assert operation["description"]
    assert len(successes) == 1 or successes == ANSWERS_TWO_WAYS[name]
    for parameter in operation.get("parameters", []):
        assert parameter["in"] != "path" or parameter.get("description"), parameter["name"]
    for status, answer in answers.items():
        assert resolved(answer)["description"], status
        assert "Request-Id" in resolved(answer)["headers"]
        if status >= "400" and (name, status) != ("get_ready", "503"):
            assert set(resolved(answer)["content"]) == {"application/problem+json"}
    assert {"400"} <= answers.keys()
    secured = operation.get("security", [])
    assert not secured or {"401", "403"} <= answers.keys()
    assert {"apiKey": []} not in secured or {"accessToken": []} in secured


@pytest.mark.parametrize("name", [name for name in OPERATIONS if "requestBody" in OPERATIONS[name]])
def test_body_is_said_exactly(name: str) -> None:
    operation = OPERATIONS[name]
    content = operation["requestBody"]["content"]

    assert set(content) == TAKES_FILES.get(name, {"application/json"})
    assert {"413", "415", "422"} <= operation["responses"].keys()
    if name in TAKES_FILES:
        return
    if name == "receive_gateway_event":
        return  # the gateway's, not ours
    for schema in bodies(content["application/json"]["schema"]):
        if schema.get("type") == "object":
            closed = schema["additionalProperties"]
            assert closed is False or "maxLength" in closed, schema
        if schema.get("type") == "string":
            assert schema.keys() & {"enum", "pattern", "format"}, schema


def test_operations_with_a_key_are_those_that_move_or_promise_money() -> None:
    assert {name for name, each in OPERATIONS.items() if is_idempotent(each)} == IDEMPOTENT
    for name in IDEMPOTENT:
        assert {"Idempotent-Replayed", "Location"} <= OPERATIONS[name]["responses"]["202"][
            "headers"
        ].keys()
        assert "409" in OPERATIONS[name]["responses"]


def test_examples_are_right_by_the_page_itself() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    examples = 0
    for operation in OPERATIONS.values():
        for media in operation.get("requestBody", {}).get("content", {}).values():
            for example in media.get("examples", {}).values():
                whole = {**media["schema"], "components": SCHEMA["components"]}
                jsonschema.Draft202012Validator(whole).validate(example["value"])
                examples += 1

    assert examples > 8
