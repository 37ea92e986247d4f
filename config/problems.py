"""Errors as RFC 9457 problem details. HTTP numbers for domain errors live only here."""

import logging
import sys
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler as drf_exception_handler

from ledger.errors import Busy, Conflict, DomainError, Forbidden, Invalid, NotFound
from payments.api.bodies import BODY_BYTES_MAX, BodyTooLarge, MalformedBody, UnsupportedBody
from payments.api.card_data import mask_card_numbers
from payments.api.conventions import FIELD_CODES
from payments.api.idempotency import InvalidIdempotencyKey, MissingIdempotencyKey

logger = logging.getLogger(__name__)

# The first that fits: exceptions to the rule of a family stand before it.
HTTP_STATUS: dict[type[DomainError], int] = {
    MalformedBody: 400,
    MissingIdempotencyKey: 400,
    InvalidIdempotencyKey: 400,
    BodyTooLarge: 413,
    UnsupportedBody: 415,
    Invalid: 422,
    NotFound: 404,
    Forbidden: 403,
    Conflict: 409,
    Busy: 503,
    DomainError: 422,
}
TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    411: "Length required",
    413: "Too large",
    415: "Unsupported media type",
    422: "Unprocessable",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}
MEDIA_TYPE = "application/problem+json"
ABOUT_ALL = str(api_settings.NON_FIELD_ERRORS_KEY)
RETRY_SECONDS = 1
# Said in our words: REST framework's repeat what was sent.
DETAILS = {
    "method_not_allowed": "This resource has no such method; Allow names those it has.",
    "unsupported_media_type": "Send application/json in UTF-8, not compressed.",
    "not_acceptable": "Answers are application/json only.",
    "not_found": "There is nothing here.",
}
# Codes of ours that come without a class of ours.
CODES = {
    "bad_request": "400: The request cannot be read: its host, path or headers are not valid.",
    "not_authenticated": "401: Send an API key or an access token: Authorization: Bearer …",
    "authentication_failed": "401: The key or token is unknown, revoked or expired.",
    "permission_denied": "403: The key or the person lacks the scope this needs.",
    "not_found": "404: There is no such resource.",
    "method_not_allowed": "405: The resource has no such method; `Allow` names those it has.",
    "not_acceptable": "406: Answers are application/json only.",
    "length_required": "411: Send the body with its Content-Length, not in chunks.",
    "secret_in_url": "400: A key or token is in the URL, where logs would keep it.",
    "unknown_parameter": "400: There is no such query parameter here.",
    "invalid_parameter": "400: A query parameter is not valid.",
    "invalid_limit": "400: `limit` is a whole number from 1 to 100.",
    "invalid_cursor": "400: The cursor was given out by another list, or by none.",
    "invalid_request": "422: Some fields are not valid; `errors` says which and why.",
    "rate_limited": "429: Too many requests; repeat after `Retry-After` seconds.",
    "internal_error": "500: Our fault; quote the request id.",
    "unavailable": "503: Something we need does not answer; repeat after `Retry-After` seconds.",
    "database_unavailable": "503: The database is busy or away; repeat the request.",
    **{code: f"422: {detail}" for code, detail in FIELD_CODES.items()},
}


def problem(
    request: Any, status: int, code: str, detail: str, errors: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """The body of an error answer."""
    return {
        "type": f"https://tieout.dev/problems/{code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": mask_card_numbers(detail),
        "code": code,
        "request_id": getattr(request, "request_id", ""),
        "errors": errors or [],
    }


def status_of(error: type[DomainError]) -> int:
    """The HTTP number of a refusal."""
    return next(number for family, number in HTTP_STATUS.items() if issubclass(error, family))


def problem_of(request: Any, error: DomainError | drf.ValidationError) -> dict[str, Any]:
    """A refusal as a problem, for answers that carry several."""
    if isinstance(error, DomainError):
        return problem(request, status_of(type(error)), error.code, error.message)
    errors = _field_errors(error.detail)
    codes = {each["code"] for each in errors}
    # When one thing is wrong and has a name of its own, that is what the problem is called.
    is_named = len(codes) == 1 and codes <= FIELD_CODES.keys()
    code, detail = "invalid_request", "Some fields are not valid."
    if is_named:
        code, detail = errors[0]["code"], errors[0]["detail"]
    return problem(request, 422, code, detail, errors)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Render refusals and REST framework errors; a busy database is 503, the rest crashes."""
    request = context["request"]._request
    if isinstance(error, RequestDataTooBig):
        error = BodyTooLarge(BODY_BYTES_MAX)
    if isinstance(error, DomainError | drf.ValidationError):
        retry_after = getattr(error, "retry_after", None)
        headers = {"Retry-After": str(retry_after)} if retry_after else {}
        body = problem_of(request, error)
        if body["status"] == 503:
            headers.setdefault("Retry-After", str(RETRY_SECONDS))
        return _respond(body, headers)
    if isinstance(error, OperationalError | InterfaceError):
        logger.warning("database.unavailable: %s", error)
        return _respond(_database_unavailable(request), {"Retry-After": str(RETRY_SECONDS)})
    response = drf_exception_handler(error, context)
    if response is None:
        return None
    headers = {name: value for name, value in response.items() if name != "Content-Type"}
    return _respond(_drf_problem(request, error, response.status_code), headers)


def _drf_problem(request: HttpRequest, error: Exception, status: int) -> dict[str, Any]:
    if isinstance(error, drf.APIException):
        code = str(error.get_codes())
        return problem(request, status, code, DETAILS.get(code, str(error.detail)))
    code = "not_found" if isinstance(error, Http404) else "permission_denied"
    return problem(request, status, code, DETAILS.get(code, "You may not do this."))


def _field_errors(detail: Any, pointer: str = "#") -> list[dict[str, str]]:
    """Each error with the JSON pointer of its field, as RFC 9457 writes it: `#/payments/0/amount`.

    REST framework says lists of objects as lists of dicts, an empty dict for each that is right.
    """
    if isinstance(detail, dict):
        parts = [
            (pointer if name == ABOUT_ALL else f"{pointer}/{_escaped(name)}", inner)
            for name, inner in detail.items()
        ]
    elif isinstance(detail, list):
        parts = [
            (f"{pointer}/{index}" if isinstance(inner, dict) else pointer, inner)
            for index, inner in enumerate(detail)
        ]
    else:
        code = getattr(detail, "code", "invalid")
        return [{"pointer": pointer, "code": code, "detail": str(detail)}]
    return [error for where, inner in parts for error in _field_errors(inner, where)]


def _escaped(name: object) -> str:
    """A name as a part of a pointer; one may be anything a client has sent."""
    text = str(name)[:60].replace("~", "~0").replace("/", "~1")
    return text.encode("unicode_escape").decode("ascii")


def _respond(body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(body, status=body["status"], headers=headers, content_type=MEDIA_TYPE)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """404 outside REST framework."""
    return _plain(problem(request, 404, "not_found", DETAILS["not_found"]))


def bad_request(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return _plain(problem(request, 400, "bad_request", "The request cannot be read."))


def server_error(request: HttpRequest) -> JsonResponse:
    """500: says nothing about the inside, only the request id to quote. No database is 503."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return _plain(_database_unavailable(request), retry_after=RETRY_SECONDS)
    detail = "Something went wrong on our side; quote the request id."
    return _plain(problem(request, 500, "internal_error", detail))


def length_required(request: HttpRequest) -> JsonResponse:
    detail = "Send the body with its Content-Length, not in chunks."
    return _plain(problem(request, 411, "length_required", detail))


def rate_limited(request: HttpRequest) -> JsonResponse:
    detail = "Too many requests; repeat this one after Retry-After seconds."
    return _plain(problem(request, 429, "rate_limited", detail))


def unavailable(request: HttpRequest) -> JsonResponse:
    detail = "This cannot be answered right now; repeat it after Retry-After seconds."
    return _plain(problem(request, 503, "unavailable", detail), retry_after=RETRY_SECONDS)


def _database_unavailable(request: HttpRequest) -> dict[str, Any]:
    detail = "The database is busy or away; repeat the request."
    return problem(request, 503, "database_unavailable", detail)


def _plain(body: dict[str, Any], *, retry_after: int | None = None) -> JsonResponse:
    headers = {"Retry-After": str(retry_after)} if retry_after else None
    return JsonResponse(body, status=body["status"], content_type=MEDIA_TYPE, headers=headers)
