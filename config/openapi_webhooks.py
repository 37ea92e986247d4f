"""The events as OpenAPI's webhooks: what is sent to an endpoint, and what it should answer."""

from typing import Any

from payments.event_types import EVENT_TYPES, EventType

HEADERS = {
    "webhook-id": ("Id of the event: the same for every attempt.", {"type": "string"}),
    "webhook-timestamp": (
        "When this attempt was made, in unix seconds.",
        {"type": "string", "pattern": "^[0-9]+$"},
    ),
    "webhook-signature": (
        "`v1,` and the base64 of HMAC-SHA256 over `<id>.<timestamp>.<body>`; while a secret is"
        " being rotated one for each, with a space between.",
        {"type": "string"},
    ),
}
ANSWERS = {
    "2XX": "Received: it is not sent again.",
    "410": "Nobody listens here any more: the endpoint is disabled.",
    "default": "Not received: it is sent again, at the latest after 24 hours, for three days.",
}


def webhooks(schemas: dict[str, Any]) -> dict[str, Any]:
    """Every event, by its name. `schemas` are those of the page."""
    return {each.name: {"post": _operation(each, schemas)} for each in EVENT_TYPES.values()}


def _operation(event: EventType, schemas: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": f"on_{event.name.replace('.', '_')}",
        "summary": event.name,
        "description": event.when,
        "security": [],
        "tags": ["webhooks"],
        "parameters": [
            {"in": "header", "name": name, "description": about, "required": True, "schema": schema}
            for name, (about, schema) in HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _schema(event, schemas)}},
        },
        "responses": {status: {"description": about} for status, about in ANSWERS.items()},
    }


def _schema(event: EventType, schemas: dict[str, Any]) -> dict[str, Any]:
    named = {"type": {"const": event.name}, "data": _data(event, schemas)}
    return {"allOf": [{"$ref": "#/components/schemas/EventOutput"}, {"properties": named}]}


def _data(event: EventType, schemas: dict[str, Any]) -> dict[str, Any]:
    if not event.adds:
        return {"$ref": f"#/components/schemas/{event.data}"}
    shown = schemas[event.data]
    fields = {name: field for name, field in shown["properties"].items() if name not in event.adds}
    return {**shown, "properties": fields, "required": list(fields)}
