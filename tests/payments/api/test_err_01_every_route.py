"""ERR-01: every route refuses a wrong method, type, body and caller as a problem. Generated."""

import json
import re

import pytest
from django.test import Client
from rest_framework.permissions import AllowAny

from payments.models import ApiKey
from tests.factories import ApiKeyFactory
from tests.support.api import PROBLEM_FIELDS, Api
from tests.support.routes import operations

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS")
ROUTES = {
    "/api/v1" + re.sub("{.*?}", "1", operation.route): operation.view for operation in operations()
}
WRITING = sorted(
    (path, method)
    for path, view in ROUTES.items()
    for method in ("POST", "PUT", "PATCH")
    if hasattr(view, method.lower())
)
# Takes a file as it is, of any type.
TAKING_FILES = {"/api/v1/statements"}
WRITING_JSON = [(path, method) for path, method in WRITING if path not in TAKING_FILES]
# Has an answer for a browser.
SHOWN_AS_PAGES = {"/api/v1/settlements/1/statement"}


@pytest.fixture
def api(db: None) -> Api:
    return Api(ApiKeyFactory(scopes=list(ApiKey.Scope)).secret)


def ask(
    api: Api, method: str, path: str, body: str | bytes = b"", content_type: str = ""
) -> tuple[int, str]:
    """The number and code of an answer, which is a problem as RFC 9457 writes it."""
    headers = {**api.authorization, "Idempotency-Key": "k"}
    response = api.client.generic(method, path, body, content_type, headers=headers)
    problem = json.loads(response.content)
    assert response["Content-Type"] == "application/problem+json", (method, path, problem)
    assert set(problem) == PROBLEM_FIELDS
    assert problem["status"] == response.status_code
    assert problem["request_id"] == response["Request-Id"]
    return response.status_code, problem["code"]


def test_there_are_routes_to_walk() -> None:
    assert {"/api/v1/payments", "/api/v1/payments/1/refunds", "/api/v1/ready"} <= ROUTES.keys()
    assert all("<" not in path for path in ROUTES)


@pytest.mark.parametrize("path", sorted(ROUTES))
def test_wrong_method_is_405(api: Api, path: str) -> None:
    view = ROUTES[path]
    for method in METHODS:
        if not hasattr(view, method.lower()):
            assert ask(api, method, path) == (405, "method_not_allowed"), method


@pytest.mark.parametrize(("path", "method"), WRITING_JSON)
@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data"])
def test_wrong_type_is_415(api: Api, path: str, method: str, content_type: str) -> None:
    status, code = ask(api, method, path, "{}", content_type)

    # A path that names nothing may be refused before the body is looked at.
    assert (status, code) == (415, "unsupported_media_type") or status == 404


@pytest.mark.parametrize(("path", "method"), WRITING_JSON)
@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'{"a":1,"a":2}', b"\xff", b"[" * 50_000])
def test_bad_body_is_400(api: Api, path: str, method: str, body: bytes) -> None:
    assert ask(api, method, path, body, "application/json")[0] in (400, 404)


@pytest.mark.parametrize(("path", "method"), WRITING_JSON)
def test_unknown_field_is_never_ignored(api: Api, path: str, method: str) -> None:
    assert ask(api, method, path, '{"no_such_field": 1}', "application/json")[0] in (422, 404)


@pytest.mark.django_db
@pytest.mark.parametrize("path", sorted(ROUTES))
def test_no_caller_is_401(path: str) -> None:
    view = ROUTES[path]
    if not view.authentication_classes or AllowAny in view.permission_classes:
        return  # open to everybody
    method = next(method for method in METHODS if hasattr(view, method.lower()))

    assert ask(Api(None), method, path) == (401, "not_authenticated")


@pytest.mark.parametrize("path", sorted(ROUTES.keys() - SHOWN_AS_PAGES))
def test_answer_of_another_type_is_406(api: Api, path: str) -> None:
    method = next(method for method in METHODS if hasattr(ROUTES[path], method.lower()))

    response = api.client.generic(
        method, path, headers={**api.authorization, "Accept": "text/html"}
    )

    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")


@pytest.mark.django_db
def test_slash_too_much_is_404() -> None:
    for path in ROUTES:
        response = Client().get(f"{path}/")
        assert response.status_code in (404, 401)  # what ends with any text takes the slash for it
        assert response["Content-Type"] == "application/problem+json"
