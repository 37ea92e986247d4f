"""SEC-01 and SEC-05: every operation, with what belongs to others, and with every scope and role.

The operations come from the URL conf. A new one with an id in its path fails here until OWNED says
how to make such a thing, and BODIES what a good request carries.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator

from ledger.actors import Actor
from ledger.ids import new_id
from payments.api.authentication import HasScope, scope_needed
from payments.models import ApiKey, Merchant, MerchantMember
from payments.services.logins import log_in
from payments.services.members import SCOPES_OF_ROLE, add_member
from tests.factories import (
    ApiKeyFactory,
    MerchantFactory,
)
from tests.support.api import Api
from tests.support.belongings import ABOVE, OWNED, wallet
from tests.support.routes import Operation, operations

pytestmark = pytest.mark.django_db

ALL = operations()
LISTS = [each for each in ALL if each.method == "GET" and not each.parameters]
SCOPED = [each for each in ALL if HasScope in getattr(each.view, "permission_classes", [])]

# Anybody may ask these: they say nothing about a merchant, or want a password, a token or a
# gateway's signature instead.
OPEN = {
    "POST /gateways/{code}/events",
    "GET /health",
    "GET /ready",
    "POST /auth/token",
    "POST /auth/token/refresh",
    "POST /auth/token/revoke",
    "POST /merchants/register",
}
# These belong to the platform, not to a merchant: whoever may ask at all may ask for all of them.
OF_OPERATORS = {"GET /statements/{statement_id}"}
WITH_ID = [each for each in ALL if each.parameters and str(each) not in OPEN | OF_OPERATORS]
# What a good request to an operation with an id carries, unless it is {}.
BODIES: dict[str, dict[str, Any]] = {
    "POST /accounts/{account_id}/reconcile": {
        "start_date": "2026-01-01",
        "end_date": "2026-01-31",
    },
    "POST /webhook-endpoints/{endpoint_id}/replay": {"since": "2026-01-01T00:00:00Z"},
}
# Query parameters a request needs to be a good one.
QUERIES: dict[str, dict[str, str]] = {
    "GET /accounts/{account_id}/reconciliation-difference": {
        "start_date": "2026-01-01",
        "end_date": "2026-01-31",
    },
}
# Fields of bodies that name something: how to ask with a foreign one, by (operation, field).
TRANSFER = {"amount": "1.00"}
FOREIGN_FIELDS: dict[tuple[str, str], Callable[[Merchant, Merchant], Any]] = {
    ("POST /payments", "merchant_id"): lambda mine, theirs: {
        **{"amount": "1.00", "currency": "EUR", "source": "tok_visa"},
        "merchant_id": theirs.public_id,
    },
    ("POST /transactions", "source_account_id"): lambda mine, theirs: {
        "transaction": {
            **TRANSFER,
            "source_account_id": wallet(theirs).public_id,
            "destination_account_id": wallet(mine).public_id,
        }
    },
    ("POST /transactions", "destination_account_id"): lambda mine, theirs: {
        "transaction": {
            **TRANSFER,
            "source_account_id": wallet(mine).public_id,
            "destination_account_id": wallet(theirs).public_id,
        }
    },
}
# Fields that are tested elsewhere: the person's password comes first (test_logins.py).
FIELDS_OF_PEOPLE = {("POST /auth/token", "merchant_id")}


def all_scopes_key(merchant: Merchant) -> Api:
    return Api(ApiKeyFactory(merchant=merchant, scopes=ApiKey.Scope.values).secret)


def ask(
    api: Api,
    operation: Operation,
    name: str = "",
    body: Any = None,
    above: dict[str, str] | None = None,
) -> HttpResponse:
    """Ask with `name` for every parameter of the path but those `above`, as a good request."""
    path = operation.route
    for parameter in operation.parameters:
        path = path.replace(f"{{{parameter}}}", (above or {}).get(parameter, name))
    headers = {**api.authorization, "Idempotency-Key": new_id("key")}
    query = "&".join(f"{key}={text}" for key, text in QUERIES.get(str(operation), {}).items())
    sent = BODIES.get(str(operation), {}) if body is None else body
    has_body = operation.method in ("POST", "PUT", "PATCH")
    return api.client.generic(
        operation.method,
        f"/api/v1{path}{'?' if query else ''}{query}",
        json.dumps(sent) if has_body else b"",
        content_type="application/json",
        headers=headers,
    )


def body_without(response: HttpResponse, name: str) -> dict[str, Any]:
    """The answer, but for the name that was asked with and the request's own id."""
    body = json.loads(response.content.decode().replace(name, "NAME"))
    del body["request_id"]
    return body


def test_every_operation_has_a_case() -> None:
    names = {name for operation in WITH_ID for name in operation.parameters}
    known = {str(operation) for operation in ALL}

    assert names == set(OWNED), "OWNED needs exactly these"
    assert {each.parameters[-1] for each in WITH_ID if len(each.parameters) > 1} == set(ABOVE)
    assert set(BODIES) | set(QUERIES) <= known
    assert {str(each) for each in ALL if each not in SCOPED} == OPEN
    assert {
        str(each)
        for each in SCOPED
        if each.parameters and scope_needed(each.view, each.method) == ApiKey.Scope.OPERATOR
    } == OF_OPERATORS
    assert len(ALL) > 30


def test_every_field_that_names_something_has_a_case() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    found, in_queries = set(), set()
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            name = f"{method.upper()} {path.removeprefix('/api/v1')}"
            content = operation.get("requestBody", {}).get("content", {})
            for media in content.values():
                found |= {(name, field) for field in id_fields(media["schema"], schema)}
            in_queries |= {
                (name, parameter["name"])
                for parameter in operation.get("parameters", [])
                if parameter["in"] == "query" and parameter["name"].endswith("_id")
            }

    assert found == set(FOREIGN_FIELDS) | FIELDS_OF_PEOPLE
    assert in_queries == set()


def id_fields(part: Any, schema: dict[str, Any]) -> Iterator[str]:
    if "$ref" in part:
        part = schema["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]]
    for name, field in part.get("properties", {}).items():
        if name.endswith("_id"):
            yield name
        yield from id_fields(field, schema)
    for nested in [*part.get("allOf", []), part.get("items")]:
        if nested:
            yield from id_fields(nested, schema)


@pytest.mark.parametrize("operation", WITH_ID, ids=str)
def test_sec_01_id_of_another_merchant_is_as_unknown_as_one_that_was_never_given_out(
    operation: Operation,
) -> None:
    theirs, mine = MerchantFactory(), MerchantFactory()
    *parents, parameter = operation.parameters
    name = OWNED[parameter](theirs)
    nobodys = new_id(name.split("_")[0])
    stranger = all_scopes_key(mine)
    above = ABOVE[parameter](name) if parents else {}

    foreign = ask(stranger, operation, name, above=above)
    random = ask(stranger, operation, nobodys, above=above)

    assert (foreign.status_code, random.status_code) == (404, 404), foreign.content
    assert body_without(foreign, name) == body_without(random, nobodys)
    assert set(foreign.headers) == set(random.headers)
    # The same request of its owner finds it.
    owners = ask(all_scopes_key(theirs), operation, name, above=above)
    assert owners.status_code != 404, owners.content
    assert operation.method != "GET" or owners.status_code == 200, owners.content
    # What is theirs is not found below something of his own either.
    own = {parent: OWNED[parent](mine) for parent in parents}
    assert not own or ask(stranger, operation, name, above=own).status_code == 404


@pytest.mark.parametrize("operation", LISTS, ids=str)
def test_sec_01_list_shows_nothing_of_another_merchant(operation: Operation) -> None:
    theirs, mine = MerchantFactory(), MerchantFactory()
    names = {parameter: make(theirs) for parameter, make in OWNED.items()}

    response = ask(all_scopes_key(mine), operation)

    text = response.content.decode()
    assert response.status_code == 200, text
    assert [name for name in (*names.values(), theirs.public_id, theirs.code) if name in text] == []


@pytest.mark.parametrize("case", FOREIGN_FIELDS, ids=" ".join)
def test_sec_01_field_that_names_what_belongs_to_another_is_404(case: tuple[str, str]) -> None:
    theirs, mine = MerchantFactory(), MerchantFactory()
    operation = next(each for each in ALL if str(each) == case[0])

    response = ask(all_scopes_key(mine), operation, body=FOREIGN_FIELDS[case](mine, theirs))

    assert response.status_code == 404, response.content


def test_sec_01_idempotency_key_of_another_merchant_replays_nothing() -> None:
    theirs, mine = all_scopes_key(MerchantFactory()), all_scopes_key(MerchantFactory())

    first, second = theirs.pay(key="k1"), mine.pay(key="k1")

    assert (first.status_code, second.status_code) == (202, 202)
    assert "Idempotent-Replayed" not in second
    assert first.json()["id"] != second.json()["id"]


@pytest.mark.parametrize("operation", SCOPED, ids=str)
def test_sec_02_nobody_is_let_in_without_a_key(operation: Operation) -> None:
    response = ask(Api(None), operation, "x_1")

    assert response.status_code == 401, response.content
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("operation", SCOPED, ids=str)
def test_sec_05_view_names_the_scope_of_each_of_its_methods(operation: Operation) -> None:
    scope = scope_needed(operation.view, operation.method)

    assert scope is None or scope in ApiKey.Scope.values


@pytest.mark.parametrize("operation", SCOPED, ids=str)
def test_sec_05_key_is_let_in_with_the_scope_and_not_with_all_others(operation: Operation) -> None:
    merchant, scope = MerchantFactory(), scope_needed(operation.view, operation.method)
    every = set(ApiKey.Scope.values)
    needed = {scope} if scope else {ApiKey.Scope.KEYS_WRITE}

    enough = ask(Api(ApiKeyFactory(merchant=merchant, scopes=needed).secret), operation, "x_1")
    others = ask(
        Api(ApiKeyFactory(merchant=merchant, scopes=every - {scope}).secret), operation, "x_1"
    )

    assert enough.status_code not in (401, 403), enough.content
    assert (others.status_code == 403) == (scope is not None), others.content


@pytest.mark.parametrize("role", MerchantMember.Role.values)
def test_sec_05_person_may_do_what_the_role_says(role: str, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    merchant = MerchantFactory()
    user = User.objects.create_user("ann@example.com", password="a long password")
    add_member(merchant, user, role=role, actor=Actor.system("tests"))
    tokens = log_in("ann@example.com", "a long password")
    assert tokens is not None
    api = Api(tokens.access)

    refused = {str(each) for each in SCOPED if ask(api, each, "x_1").status_code == 403}

    allowed = {None, *SCOPES_OF_ROLE[role]}
    assert refused == {
        str(each) for each in SCOPED if scope_needed(each.view, each.method) not in allowed
    }
    assert "GET /queue/stats" in refused
