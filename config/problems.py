"""Errors as RFC 9457 problem details. HTTP numbers for domain errors live only here."""

import logging
from typing import Any

from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from ledger.errors import Busy, Conflict, DomainError, Forbidden, Invalid, NotFound

logger = logging.getLogger(__name__)

HTTP_STATUS: dict[type[DomainError], int] = {
    Invalid: 422,
    NotFound: 404,
    Forbidden: 403,
    Conflict: 409,
    Busy: 503,
}
TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Unprocessable",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}
MEDIA_TYPE = "application/problem+json"
# Missing key: the request is malformed rather than refused.
BAD_REQUEST_CODES = {"idempotency_key_missing"}


def problem(
    request: Any, status: int, code: str, detail: str, errors: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """The body of an error answer."""
    return {
        "type": f"https://tieout.dev/problems/{code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": getattr(request, "request_id", ""),
        "errors": errors or [],
    }


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Render refusals and REST framework errors; a busy database is 503, the rest crashes."""
    request = context["request"]._request
    if isinstance(error, DomainError):
        status = next(number for family, number in HTTP_STATUS.items() if isinstance(error, family))
        if error.code in BAD_REQUEST_CODES:
            status = 400
        return _respond(problem(request, status, error.code, error.message))
    if isinstance(error, OperationalError):
        logger.warning("database.busy: %s", error)
        body = problem(request, 503, "busy", "The database is busy; repeat the request.")
        return _respond(body, {"Retry-After": "1"})
    response = drf_exception_handler(error, context)
    if response is None:
        return None
    headers = {name: value for name, value in response.items() if name != "Content-Type"}
    return _respond(_drf_problem(request, error, response.status_code), headers)


def _drf_problem(request: HttpRequest, error: Exception, status: int) -> dict[str, Any]:
    if isinstance(error, drf.ValidationError):
        fields = _field_errors(error.detail)
        return problem(request, 422, "invalid_request", "Some fields are not valid.", fields)
    if isinstance(error, drf.APIException):
        return problem(request, status, str(error.get_codes()), str(error.detail))
    is_missing = isinstance(error, Http404)
    return problem(request, status, "not_found" if is_missing else "error", str(error))


def _field_errors(detail: Any, path: str = "") -> list[dict[str, str]]:
    if isinstance(detail, dict):
        return [
            item
            for name, inner in detail.items()
            for item in _field_errors(inner, f"{path}.{name}" if path else str(name))
        ]
    if isinstance(detail, list):
        return [item for inner in detail for item in _field_errors(inner, path)]
    return [{"field": path, "code": getattr(detail, "code", "invalid"), "detail": str(detail)}]


def _respond(body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(body, status=body["status"], headers=headers, content_type=MEDIA_TYPE)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """404 outside REST framework."""
    return _plain(problem(request, 404, "not_found", "There is nothing here."))


def bad_request(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return _plain(problem(request, 400, "bad_request", "The request cannot be read."))


def server_error(request: HttpRequest) -> JsonResponse:
    """500: says nothing about the inside, only the request id to quote."""
    detail = "Something went wrong on our side; quote the request id."
    return _plain(problem(request, 500, "internal_error", detail))


def _plain(body: dict[str, Any]) -> JsonResponse:
    return JsonResponse(body, status=body["status"], content_type=MEDIA_TYPE)
