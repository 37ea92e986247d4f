"""Counts what is asked over HTTP and how it is answered."""

import json

from django.http import HttpRequest, HttpResponseBase
from prometheus_client import Counter, Histogram

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PROBLEM = "application/problem+json"

requests = Counter(
    "tieout_http_requests_total",
    "Requests, by route, method and status of the answer.",
    ["route", "method", "status"],
)
request_seconds = Histogram(
    "tieout_http_request_seconds",
    "How long answering took, by route and method.",
    ["route", "method"],
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
refusals = Counter(
    "tieout_http_refusals_total",
    "Answers that are problems, by their code.",
    ["code"],
)


def count_answer(request: HttpRequest, response: HttpResponseBase, *, seconds: float) -> None:
    """One request more. What clients make up, paths and methods, becomes no label."""
    method = request.method if request.method in METHODS else "other"
    count(route_of(request), str(method), response.status_code, seconds=seconds)
    if response.get("Content-Type", "").startswith(PROBLEM):
        refusals.labels(json.loads(response.content)["code"]).inc()  # type: ignore[attr-defined]


def count(route: str, method: str, status: int, *, seconds: float) -> None:
    """One request more, by its route: the pattern that answered."""
    requests.labels(route, method, status).inc()
    request_seconds.labels(route, method).observe(seconds)


def route_of(request: HttpRequest) -> str:
    """The pattern that answered; all pages of the back office are one."""
    match = request.resolver_match
    if match is None:
        return "none"
    return "admin" if "admin" in match.app_names else f"/{match.route}"
