"""What happens to every request."""

import hashlib
import logging
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from config import logs, problems
from config.http_metrics import count_answer
from ledger import actors
from ledger.ids import new_id
from payments.api.card_data import mask_card_numbers
from payments.cache import Unreachable
from payments.rate_limits import RateClass, check_rate

logger = logging.getLogger(__name__)

API = "/api/v1/"
UNLIMITED = {f"{API}health", f"{API}ready"}
LOGINS = {f"{API}auth/token", f"{API}merchants/register"}
MOVES_MONEY = tuple(f"{API}{noun}" for noun in ("payments", "refunds", "transactions"))
READING = {"GET", "HEAD", "OPTIONS"}
ADDRESS_LENGTH_MAX = 45
USER_AGENT_LENGTH_MAX = 200
# What the express lane leaves in the WSGI environ for those behind it, to count nothing twice.
REQUEST_ID, VERDICT = "tieout.request_id", "tieout.verdict"
_SAFE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class RequestIdMiddleware:
    """Every answer carries a `Request-Id`, ours, that logs, error bodies and the audit trail have
    too. A `Client-Request-Id` goes into the log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = request.META.get(REQUEST_ID) or new_id("req")
        request.request_id = request_id  # type: ignore[attr-defined]
        client_id = request.headers.get("Client-Request-Id", "")
        theirs = logs.client_request_id.set(client_id if _SAFE_ID.fullmatch(client_id) else "")
        outside = actors.request_id.set(request_id)
        elsewhere = actors.address.set(address_of(request)[:ADDRESS_LENGTH_MAX])
        other_program = actors.user_agent.set(_program_of(request))
        began_at = time.perf_counter()
        try:
            response = self._answer(request)
            count_answer(request, response, seconds=time.perf_counter() - began_at)
            if logs.client_request_id.get():
                logger.info("%s %s %s", request.method, request.path, response.status_code)
        finally:
            actors.request_id.reset(outside)
            actors.address.reset(elsewhere)
            actors.user_agent.reset(other_program)
            logs.client_request_id.reset(theirs)
        response["Request-Id"] = request_id
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        # WSGI shows a body without a length as an empty one, and an empty one may mean "all of it".
        if "Transfer-Encoding" in request.headers:
            return problems.length_required(request)
        # No text of ours contains NUL, and PostgreSQL refuses to compare with it.
        has_nul = "\x00" in request.path or "\x00" in unquote(request.META.get("QUERY_STRING", ""))
        return problems.bad_request(request) if has_nul else self.get_response(request)


def _program_of(request: HttpRequest) -> str:
    said = request.headers.get("User-Agent", "")[:USER_AGENT_LENGTH_MAX]
    return mask_card_numbers("".join(each for each in said if each.isprintable()))


class RateLimitMiddleware:
    """Nobody asks the API more often than `RATE_LIMITS` allow; probes are not counted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(API) or request.path in UNLIMITED:
            return self.get_response(request)
        secret = request.headers.get("Authorization", "")
        rate_class = rate_class_of(request.method or "", request.path, is_known=bool(secret))
        is_by_address = rate_class in (RateClass.LOGIN, RateClass.ANONYMOUS)
        identity = address_of(request) if is_by_address else digest_of(secret)
        try:
            verdict = request.META.get(VERDICT) or check_rate(identity, rate_class)
        except Unreachable:
            return problems.unavailable(request)
        response = self.get_response(request) if verdict.is_allowed else None
        if response is not None and response.status_code == 401 and not is_by_address:
            # Whoever guesses keys is nobody we know, however many keys he tries.
            verdict = check_rate(address_of(request), RateClass.ANONYMOUS)
        if response is None or not verdict.is_allowed:
            response = problems.rate_limited(request)
        for name, value in verdict.headers.items():
            response[name] = value
        return response


class PagesMiddleware:
    """What PAGES_MIDDLEWARE do happens to people's pages, and costs the API nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.answer_page: Callable[[HttpRequest], Any] = get_response
        self.looks: list[Callable[..., HttpResponse | None]] = []  # at the view, before it is run
        for path in reversed(settings.PAGES_MIDDLEWARE):
            middleware = import_string(path)(self.answer_page)
            if hasattr(middleware, "process_view"):
                self.looks.insert(0, middleware.process_view)
            self.answer_page = convert_exception_to_response(middleware)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_api = request.path.startswith(API)
        response: HttpResponse = (self.get_response if is_api else self.answer_page)(request)
        return response

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        if request.path.startswith(API):
            return None
        answers = (look(request, *view) for look in self.looks)
        return next((answer for answer in answers if answer is not None), None)


def rate_class_of(method: str, path: str, *, is_known: bool) -> RateClass:
    """What kind of request this is; `is_known` when it names its caller."""
    if path in LOGINS and method not in READING:
        return RateClass.LOGIN
    if not is_known:
        return RateClass.ANONYMOUS
    if method in READING:
        return RateClass.READS
    return RateClass.PAYMENTS if path.startswith(MOVES_MONEY) else RateClass.WRITES


def address_of(request: HttpRequest) -> str:
    """Where a request comes from, as the outermost of our own TRUSTED_PROXIES saw it."""
    hops = [*request.META.get("HTTP_X_FORWARDED_FOR", "").split(","), request.META["REMOTE_ADDR"]]
    return hops[-1 - min(settings.TRUSTED_PROXIES, len(hops) - 1)].strip()


def digest_of(secret: str) -> str:
    """Says which secret it is without being it."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()[:32]
