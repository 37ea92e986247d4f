"""Runs schemathesis against a server with the keys of two merchants.

It is a program, not a library, so that it sees of us what every client sees: a page and a port.
"""

import copy
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from django.conf import settings

from config import processes
from config.embedded.places import CHECKOUT
from tests.support.own_names import database_url_of_tests
from tests.support.servers import Child, wait_for

PAGE = CHECKOUT / "docs" / "openapi.yaml"
HOOKS = Path(__file__).with_name("contract_hooks.py")
# Every check there is. What differs from its defaults says why.
CONFIG = """
base-url = {url}
hooks = {hooks}
seed = {seed}
continue-on-failure = true
[auth.wfc]
path = {keys}
peers = ["first", "second"]
[generation]
max-examples = {examples}
database = "none"
[checks]
max_response_time = 5
[checks.positive_data_acceptance]
# What no schema says is 422: the decimals of a currency, a card number among the words, one account
# on both sides. 400 is not in the list: whatever the page lets pass can be read.
expected-statuses = [200, 201, 202, 204, 401, 403, 404, 409, 413, 422, 429, 503]
[[operations]]
# What is wrong with one payment of a batch is said in its own result.
include-operation-id = "create_payment_batch"
checks.negative_data_rejection.enabled = false
[[operations]]
# It says 503 while something it needs is away.
include-operation-id = "get_ready"
checks.not_a_server_error.expected-statuses = [200, 405, 503]
[[operations]]
# Cursors are only those we gave out, and an amount to filter by needs a currency.
include-operation-id-regex = "^list_"
checks.positive_data_acceptance.expected-statuses = [200, 400, 404]
"""


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """The URL of the web process of `manage.py run`, on the test database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    plenty = {f"RATE_LIMIT_{name.upper()}": "100000/1" for name in settings.RATE_LIMITS}
    web = Child(
        list(processes.web(port).argv),
        folder,
        DJANGO_SETTINGS_MODULE="tests.support.contract_settings",
        DATABASE_URL=database_url_of_tests(),
        REDIS_URL=settings.REDIS_URL,
        CELERY_BROKER_URL=settings.CELERY_BROKER_URL,
        WEB_CONCURRENCY="1",
        **plenty,
    )
    try:
        wait_for(lambda: _answers(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        web.kill_group()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Shop(NamedTuple):
    """A merchant of the run: what it is called there, and its key."""

    name: str
    key_id: str
    secret: str


def run(folder: Path, url: str, shops: Sequence[Shop], **limits: int) -> tuple[int, str]:
    """How it ended (0: no difference between page and server) and what it printed."""
    page, keys, config = folder / "openapi.json", folder / "keys.json", folder / "schemathesis.toml"
    page.write_text(json.dumps(tightened(yaml.safe_load(PAGE.read_text()))))
    keys.write_text(json.dumps({"auth": [_authentication(shop) for shop in shops]}))
    chosen = {"url": url, "hooks": str(HOOKS), "keys": str(keys), **limits}
    config.write_text(CONFIG.format(**{name: json.dumps(each) for name, each in chosen.items()}))
    own_keys = " ".join(shop.key_id for shop in shops)
    ended = subprocess.run(
        [Path(sys.executable).with_name("st"), "--config-file", config, "run", page, "--no-color"],
        env={**os.environ, "CONTRACT_KEYS": own_keys},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def _authentication(shop: Shop) -> dict[str, Any]:
    header = {"name": "Authorization", "value": f"Bearer {shop.secret}"}
    return {"name": shop.name, "fixedHeaders": [header]}


def tightened(page: dict[str, Any]) -> dict[str, Any]:
    """The page for this run: answers have no other fields than those it names.

    The body's idempotency key is left out: that it may stand in for the header, which is required,
    is beyond OpenAPI.
    """
    page = copy.deepcopy(page)
    for schema in page["components"]["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
            if "idempotency_key" not in schema.get("required", []):
                schema["properties"].pop("idempotency_key", None)
    return page
