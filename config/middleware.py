"""What happens to every request."""

from collections.abc import Callable
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse

from config.problems import bad_request
from ledger import actors
from ledger.ids import new_id


class RequestIdMiddleware:
    """Every answer carries a `Request-Id`, ours, that logs, error bodies and the audit trail have
    too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = new_id("req")
        request.request_id = request_id  # type: ignore[attr-defined]
        outside = actors.request_id.set(request_id)
        try:
            response = self._answer(request)
        finally:
            actors.request_id.reset(outside)
        response["Request-Id"] = request_id
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        # No text of ours contains NUL, and PostgreSQL refuses to compare with it.
        has_nul = "\x00" in request.path or "\x00" in unquote(request.META.get("QUERY_STRING", ""))
        return bad_request(request) if has_nul else self.get_response(request)
