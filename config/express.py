"""The way into the application for new payments, which skips what they do not need of Django.

Everything an answer of the API carries comes from the place it always comes from; a test holds both
ways to the same answer, header by header.
"""

import logging
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from config.http_metrics import count
from config.middleware import REQUEST_ID, VERDICT, digest_of, rate_class_of
from ledger import actors
from ledger.ids import new_id
from payments.api.express_lane import read_wish, take
from payments.api.payment_shapes import PAYMENTS_PATH
from payments.api.payments import Payments
from payments.rate_limits import announce_check, check_rate

Environ = dict[str, Any]
Headers = tuple[tuple[str, str], ...]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

logger = logging.getLogger(__name__)

BODY_BYTES_MAX = 16_384
HOST_LENGTH_MAX = 255
JSON = "application/json"
# What most clients say they take.
PLAIN_ACCEPTS = frozenset({"", "*/*", JSON, f"{JSON}, text/plain, */*", f"{JSON}, */*"})
# Whoever sends one of these asks for something that is not plain.
UNUSUAL = ("QUERY_STRING", "HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING")
RATE_CLASS = rate_class_of("POST", PAYMENTS_PATH, is_known=True)


class ExpressLane:
    """A WSGI application in front of another one, which gets everything but plain new payments."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.headers_around = lru_cache(maxsize=1_000)(_headers_around)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        found = self.answer(environ)
        if found is None:
            return self.application(environ, start_response)
        body, headers = found
        start_response("202 Accepted", headers)
        return [body]

    def answer(self, environ: Environ) -> tuple[bytes, list[tuple[str, str]]] | None:
        """Body and headers of a 202; None if the request has to go the ordinary way."""
        began_at = time.perf_counter()
        around = self._around(environ)
        if around is None:
            return None
        authorization = environ["HTTP_AUTHORIZATION"]
        caller = digest_of(authorization)
        announce_check(caller, RATE_CLASS)  # which Redis works out while we read
        request_id = environ[REQUEST_ID] = new_id("req")
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = BytesIO(body)  # whoever comes after us reads it again
        secret, key = authorization[len("Bearer ") :], environ["HTTP_IDEMPOTENCY_KEY"]
        outside = actors.request_id.set(request_id)
        try:
            wish = read_wish(body)
            verdict = environ[VERDICT] = check_rate(caller, RATE_CLASS)
            if wish is None or not verdict.is_allowed:
                return None
            answer = take(wish, body, secret=secret, key=key, request_id=request_id)
        except Exception:  # the ordinary way finds out by the key what became of it
            logger.exception("express_lane.failed")
            answer = None
        finally:
            actors.request_id.reset(outside)
        if answer is None:
            return None
        count(PAYMENTS_PATH, "POST", answer.status, seconds=time.perf_counter() - began_at)
        own = [("Content-Type", JSON), ("Content-Length", str(len(answer.body)))]
        own += [("Location", answer.location), ("Request-Id", request_id)]
        return answer.body, [*own, *verdict.headers.items(), *around]

    def _around(self, environ: Environ) -> Headers | None:
        """The headers that are always the same; None if the request is not plain."""
        say = environ.get
        is_plain = (
            environ["PATH_INFO"] == PAYMENTS_PATH
            and environ["REQUEST_METHOD"] == "POST"
            and say("CONTENT_TYPE") == JSON
            and say("HTTP_AUTHORIZATION", "").startswith("Bearer ")
            and say("HTTP_IDEMPOTENCY_KEY")
            and say("HTTP_ACCEPT", "") in PLAIN_ACCEPTS
            and say("CONTENT_LENGTH", "").isdecimal()
            and int(environ["CONTENT_LENGTH"]) <= BODY_BYTES_MAX
            # Their id goes into the log, which the ordinary way keeps.
            and not say("HTTP_CLIENT_REQUEST_ID")
            and not any(map(say, UNUSUAL))
            and not say("SCRIPT_NAME")
        )
        if not is_plain:
            return None
        told = settings.SECURE_PROXY_SSL_HEADER
        host, forwarded_scheme = say("HTTP_HOST", ""), say(told[0]) if told else None
        if not host or len(host) + len(forwarded_scheme or "") > HOST_LENGTH_MAX:
            return None
        try:
            return self.headers_around(host, environ["wsgi.url_scheme"], forwarded_scheme)
        except NotPlain:
            return None


class NotPlain(Exception):
    """Django's middlewares would answer otherwise; nothing of it is kept."""


def _headers_around(host: str, url_scheme: str, forwarded_scheme: str | None) -> Headers:
    """What Django's middlewares and REST framework add to an answer. Raises NotPlain."""

    def answer(request: HttpRequest) -> HttpResponse:
        view = Payments()
        view.setup(request)
        return HttpResponse(headers=view.default_response_headers)

    environ: Environ = {"REQUEST_METHOD": "POST", "PATH_INFO": PAYMENTS_PATH, "HTTP_HOST": host}
    environ |= {"wsgi.url_scheme": url_scheme, "wsgi.input": BytesIO()}
    if settings.SECURE_PROXY_SSL_HEADER and forwarded_scheme is not None:
        environ[settings.SECURE_PROXY_SSL_HEADER[0]] = forwarded_scheme
    handler: Callable[[HttpRequest], HttpResponse] = answer
    for path in reversed(settings.MIDDLEWARE):
        if path.startswith("django."):
            handler = import_string(path)(handler)
    try:
        response = handler(WSGIRequest(environ))
    except SuspiciousOperation as refusal:
        raise NotPlain from refusal
    if response.status_code != 200:
        raise NotPlain
    of_this_answer = ("Content-Type", "Content-Length")
    return tuple((name, value) for name, value in response.items() if name not in of_this_answer)
