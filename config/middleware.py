"""What happens to every request."""

from collections.abc import Callable
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse

from config.problems import bad_request
from ledger.ids import new_id


class RequestIdMiddleware:
    """Every answer carries a `Request-Id`, ours, that the logs and error bodies carry too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = new_id("req")  # type: ignore[attr-defined]
        # No text of ours contains NUL, and PostgreSQL refuses to compare with it.
        has_nul = "\x00" in request.path or "\x00" in unquote(request.META.get("QUERY_STRING", ""))
        response = bad_request(request) if has_nul else self.get_response(request)
        response["Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response
