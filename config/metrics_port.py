"""A worker's own port for Prometheus, for where no web process shares its folder."""

import logging
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.conf import settings
from django.utils.crypto import constant_time_compare

from payments import process_metrics

logger = logging.getLogger(__name__)


def open_port(**_: object) -> None:
    """What the processes here count is on METRICS_PORT, for whoever sends METRICS_TOKEN.

    Without either there is no port; one that is taken is logged.
    """
    process_metrics.tidy()
    if not (settings.METRICS_PORT and settings.METRICS_TOKEN):
        return
    address = os.environ.get("BIND_ADDRESS") or "127.0.0.1"
    try:
        server = make_server(address, settings.METRICS_PORT, answer, handler_class=_Silent)
    except OSError as problem:
        logger.warning("metrics.port_not_opened: %s", problem)
        return
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def answer(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """The WSGI application: every path is the metrics."""
    if not is_token(environ.get("HTTP_AUTHORIZATION", "")):
        start_response("401 Unauthorized", [("WWW-Authenticate", "Bearer")])
        return [b""]
    start_response("200 OK", [("Content-Type", process_metrics.CONTENT_TYPE)])
    return [process_metrics.exposition()]


def is_token(authorization: str) -> bool:
    """Whether this header is the scraper's."""
    token = settings.METRICS_TOKEN
    sent = authorization.encode(errors="replace")
    return bool(token) and constant_time_compare(sent, f"Bearer {token}".encode())


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass
