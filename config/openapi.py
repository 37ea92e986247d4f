"""What every operation of the OpenAPI page has in common, added to what the views say themselves.

`make openapi` writes docs/openapi.yaml; `make lint` fails when it is not what the code says.
"""

import re
from collections.abc import Iterator
from typing import Any

from config.openapi_webhooks import webhooks
from config.problems import TITLES
from payments.api.bodies import FORM
from payments.api.conventions import PRINTABLE
from payments.api.idempotency import KEY_SCHEMA

ABOUT = """
Payments, ledger, settlement and reconciliation that tie out.

- Amounts are text in **major units** (`"100.00"`); a bare `5000` for dollars is refused.
- Every POST that moves or promises money needs an `Idempotency-Key`, in the header or as the body's
  `idempotency_key`; repeating a request with its key gives the same answer and does nothing new.
- Names are snake_case; requests may spell them in camelCase. Unknown names are refused.
- Errors are `application/problem+json`; decide by `code`. Besides those listed, every route answers
  404 for what is not there, 405, 406, 411 and, if we are at fault, 500 in the same shape.
"""
METHODS = ("get", "post", "put", "patch", "delete")
PROBES = {"get_health", "get_ready"}
# What may not fit the present state, though it carries no idempotency key.
CONFLICTING = {
    *("create_account", "sign_up", "create_api_key", "rotate_api_key", "revoke_api_key"),
    *("create_webhook_endpoint", "enable_webhook_endpoint", "disable_webhook_endpoint"),
    *("retry_webhook_delivery", "replay_webhook_events", "test_webhook_endpoint"),
}
# Name something in the body that may not be there or another merchant's.
NAMING = {"create_payment", "create_transaction", "log_in", "send_statement_file"}
GUARDED = {"log_in", "refresh_tokens"}  # open to all, but only with the right secret
# Names what it made without being idempotent by key: the bytes are the key.
LOCATING = {"send_statement_file"}
SIGNED = {"receive_gateway_event"}
WHEN = {
    400: "Cannot be read: a parameter, the body as JSON, or the idempotency key.",
    401: "No key or token, or one that is unknown, revoked or expired.",
    403: "The scope or signature this needs is missing.",
    404: "Not there, or another merchant's: no difference is shown.",
    409: "Does not fit the present state, or the same request is being carried out.",
    413: "The body is too large.",
    415: "The body is not JSON in UTF-8.",
    422: "Can be read but not done: `errors` says which fields are wrong.",
    429: "Too many requests.",
    503: "Something is busy or away.",
}
DONE = {"200": "OK", "201": "Made", "202": "Written down; done soon", "204": "Done"}
PATH_PARAMETERS = {
    "account_id": "Its id, `acct_…`, or your code for it.",
    "code": "Code of the gateway.",
    "delivery_id": "`wd_…`",
    "discrepancy_id": "`disc_…`",
    "dispute_id": "`dp_…`",
    "endpoint_id": "`we_…`",
    "event_id": "`evt_…`",
    "idempotency_key": "The key of the POST, percent-encoded.",
    "key_id": "`key_…`",
    "payment_id": "`pay_…`",
    "payout_id": "`mpo_…`",
    "refund_id": "`re_…`",
    "run_id": "`run_…`",
    "settlement_id": "`sb_…`",
    "statement_id": "`st_…`",
    "transaction_id": "`tr_…`",
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "create_payment": {
        "amount": "50.00",
        "currency": "USD",
        "source": "tok_visa",
        "description": "Order #1234",
    },
    "create_payment_batch": {
        "payments": [
            {"amount": "5.00", "currency": "USD", "source": "tok_visa", "idempotency_key": "b-1"},
            {"amount": "7.50", "currency": "USD", "source": "tok_visa", "idempotency_key": "b-2"},
        ]
    },
    "capture_payment": {"amount": "20.00"},
    "create_refund": {"amount": "10.00", "reason": "One of two came back."},
    "create_transaction": {
        "transaction": {
            "source_account_id": "account-123",
            "destination_account_id": "account-456",
            "amount": "100.00",
        }
    },
    "refund_transaction": {"amount": "40.00"},
    "create_account": {"code": "savings", "name": "Savings", "currency": "USD"},
    "reconcile_account": {"start_date": "2026-01-01", "end_date": "2026-01-31"},
    "create_api_key": {"name": "web shop", "scopes": ["payments:read", "payments:write"]},
    "create_webhook_endpoint": {
        "url": "https://shop.example.com/tieout",
        "event_types": ["payment.succeeded", "refund.*"],
    },
    "sign_up": {"name": "Kaffee", "email": "ann@example.com", "password": "a long password"},
    "log_in": {"email": "ann@example.com", "password": "a long password"},
}
TEXT = {"type": "string"}
ALWAYS_THERE = {"RequestId", "RetryAfter", "WwwAuthenticate"}
HEADERS = {
    "RequestId": ("Ours, in logs and problems too; quote it.", TEXT),
    "RateLimitPolicy": ('How many requests fit into how many seconds: `"writes";q=500;w=1`.', TEXT),
    "RateLimit": ("How many are left, and in how many seconds all are again.", TEXT),
    "RetryAfter": ("Seconds after which to repeat the request.", {"type": "integer", "minimum": 1}),
    "Location": ("Path of what was made.", TEXT),
    "IdempotentReplayed": (
        "There when the answer is that of an earlier request with the same key.",
        {"type": "string", "enum": ["true"]},
    ),
    "OriginalRequestId": ("`Request-Id` of that earlier request.", TEXT),
    "WwwAuthenticate": ("`Bearer`", TEXT),
}


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The schema with errors, headers and exact request bodies; a hook of drf-spectacular."""
    components = result["components"]
    result["info"]["description"] = ABOUT.strip()
    components["headers"] = {
        name: {"description": about, "required": name in ALWAYS_THERE, "schema": schema}
        for name, (about, schema) in HEADERS.items()
    }
    components["responses"] = {}
    for operation in operations_of(result):
        operation["summary"] = operation["operationId"].replace("_", " ").capitalize()
        _complete_request(operation, components)
        for each in operation.get("parameters", []):
            if each["in"] == "path" and each["name"] in PATH_PARAMETERS:
                each["description"] = PATH_PARAMETERS[each["name"]]
        for status, answer in operation["responses"].items():
            answer["description"] = answer["description"] or DONE.get(status, WHEN.get(int(status)))
        for status in errors_of(operation):
            _add_error(operation, status, components)
        _add_headers(operation)
    result["webhooks"] = webhooks(components["schemas"])
    return result


def operations_of(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in schema["paths"].values():
        yield from (operation for method, operation in path.items() if method in METHODS)


def is_idempotent(operation: dict[str, Any]) -> bool:
    return any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", []))


def errors_of(operation: dict[str, Any]) -> list[int]:
    """The numbers of the errors an operation can answer."""
    name, has_body = operation["operationId"], "requestBody" in operation
    parameters = {each["in"] for each in operation.get("parameters", [])}
    can = {
        400: True,
        401: _is_secured(operation) or name in GUARDED,
        403: _is_secured(operation) or name in SIGNED | {"log_in"},
        404: "path" in parameters or name in NAMING,
        409: is_idempotent(operation) or name in CONFLICTING,
        413: has_body,
        415: has_body,
        422: has_body or name == "get_reconciliation_difference",
        429: name not in PROBES,
        503: name != "get_health",
    }
    return [number for number, is_possible in can.items() if is_possible]


def _is_secured(operation: dict[str, Any]) -> bool:
    return bool(operation.get("security")) and {} not in operation["security"]


def _complete_request(operation: dict[str, Any], components: dict[str, Any]) -> None:
    if (body := operation.get("requestBody")) is None:
        return
    # `curl -d` without a header is read too, but nobody should set out to send that.
    body["content"].pop(FORM, None)
    for media in body["content"].values():
        _make_exact(media["schema"], components["schemas"])
        if example := EXAMPLES.get(operation["operationId"]):
            media["examples"] = {"plain": {"value": example}}
        if is_idempotent(operation):
            asked = components["schemas"][media["schema"]["$ref"].rsplit("/", 1)[1]]
            in_body = {**KEY_SCHEMA, "description": "In place of the header."}
            asked.setdefault("properties", {})["idempotency_key"] = in_body


def _make_exact(part: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Nothing but what is named, and only text that can be printed."""
    if "$ref" in part:
        part = schemas[part["$ref"].rsplit("/", 1)[1]]
    for group in ("allOf", "oneOf"):
        for each in part.get(group, []):
            _make_exact(each, schemas)
    if "items" in part:
        _make_exact(part["items"], schemas)
    if "properties" in part:
        part["additionalProperties"] = False
        for each in part["properties"].values():
            _make_exact(each, schemas)
    is_text = "string" in part.get("type", ())
    if is_text and not part.keys() & {"enum", "pattern", "format"}:
        part["pattern"] = PRINTABLE
        part.setdefault("minLength", 0 if part.get("default") == "" else 1)


def _add_error(operation: dict[str, Any], status: int, components: dict[str, Any]) -> None:
    name = re.sub(r"\W", "", TITLES[status].title())
    if str(status) in operation["responses"]:
        return
    operation["responses"][str(status)] = {"$ref": f"#/components/responses/{name}"}
    names = ["Request-Id"]
    names += {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}.get(status, [])
    components["responses"][name] = {
        "description": WHEN[status],
        "headers": {header: _header(header) for header in names},
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOutput"}}
        },
    }


def _add_headers(operation: dict[str, Any]) -> None:
    for status, answer in operation["responses"].items():
        if "$ref" in answer:
            continue
        names = ["Request-Id"]
        if operation["operationId"] not in PROBES:
            names += ["RateLimit-Policy", "RateLimit"]
        if is_idempotent(operation):
            names += ["Location", "Idempotent-Replayed", "Original-Request-Id"]
        elif status == "201" or operation["operationId"] in LOCATING:
            names += ["Location"]
        answer["headers"] = {header: _header(header) for header in names}


def _header(name: str) -> dict[str, str]:
    key = "".join(part.capitalize() for part in name.split("-"))
    key = {"Ratelimit": "RateLimit", "RatelimitPolicy": "RateLimitPolicy"}.get(key, key)
    return {"$ref": f"#/components/headers/{key}"}
