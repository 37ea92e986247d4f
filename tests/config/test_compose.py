"""docker-compose.yml: valid, careful, and every command of ours in it runs, here without Docker.

The commands run as written, with the environment the file gives them and nothing else; only the
addresses of PostgreSQL and Redis and the port are those of this machine.
"""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

from config.embedded.places import CHECKOUT
from tests.support.compose import (
    COMPOSE,
    as_the_application,
    drop_application_role,
    environment_in,
    new_dotenv,
    on_this_machine,
    run,
    run_grants,
)

DOCKERFILE = (CHECKOUT / "Dockerfile").read_text()
OURS = ("migrate", "web", "worker", "beat")
SERVING = ("web", "postgres", "valkey")
HOST = "pay.example.com"
PATIENCE_SECONDS = 30
STOP_SECONDS_MAX = 25
POST_ONE_ENTRY = """
import django
django.setup()
from django.utils import timezone
from ledger.entries import AccountRef, AccountType, Entry, credit, debit
from ledger.money import Money
from ledger.services.posting import post_entry
bank = AccountRef("bank:main", AccountType.ASSET, "EUR")
equity = AccountRef("equity:opening", AccountType.EQUITY, "EUR")
money = Money(10_000, "EUR")
print(post_entry(Entry(
    idempotency_key="opening", kind="opening", reference="main", effective_at=timezone.now(),
    lines=(debit(bank, money), credit(equity, money)),
)).status)
"""


class Service:
    """A service's command, as Docker would start it, and what it says."""

    def __init__(self, name: str, environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                COMPOSE["services"][name]["command"],
                env=environment,
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_it_says(self, words: str) -> None:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while words not in self.log.read_text():
            assert self.process.poll() is None, f"{self.name} ended:\n{self.log.read_text()}"
            assert time.monotonic() < give_up_at, f"{self.name} says:\n{self.log.read_text()}"
            time.sleep(0.05)

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """An empty database beside the tests' own; afterwards it is gone, and the role with it."""
    name = f"{settings.DATABASES['default']['TEST']['NAME']}_compose"
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
        connection.execute(drop)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield name
        connection.execute(drop)
    drop_application_role()


@pytest.fixture(scope="module")
def dotenv(database: str) -> dict[str, str]:
    """What an operator writes into .env, and where Celery finds this run's own Redis number."""
    return new_dotenv()


@pytest.fixture(scope="module")
def migrated(
    database: str, dotenv: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The database after `migrate` and `grants` have run, as their services say."""
    run(COMPOSE["services"]["migrate"]["command"], environment_of("migrate", database, dotenv))

    run_grants(database, dotenv, tmp_path_factory.mktemp("configs"))
    return database


def test_file_is_valid_by_the_schema_of_the_compose_specification() -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--builtin-schema", "vendor.compose-spec", "docker-compose.yml"),
        ],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", OURS)
def test_our_services_have_no_rights_to_lose(name: str) -> None:
    service = COMPOSE["services"][name]
    (user,) = re.findall(r"^USER (\S+)$", DOCKERFILE.rpartition("\nFROM ")[2], re.MULTILINE)

    assert service["image"] == "tieout"
    assert service.get("user", user) not in ("0", "root")
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"]
    assert not service.get("privileged")


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "ALLOWED_HOSTS", "POSTGRES_PASSWORD", "APP_PASSWORD"]
)
def test_nothing_starts_without(name: str) -> None:
    """No default password: each use of the variable is refused while it is unset or empty."""
    uses = re.findall(rf"\$\{{{name}\b([^}}]*)", (CHECKOUT / "docker-compose.yml").read_text())

    assert uses
    assert all(use.startswith(":?") for use in uses)


def test_every_service_that_serves_is_watched_and_the_others_are_not() -> None:
    watched = {
        name
        for name, service in COMPOSE["services"].items()
        if not service.get("healthcheck", {}).get("disable")
        and ("healthcheck" in service or service["image"] == "tieout")
    }

    assert watched == set(SERVING)


def test_only_one_address_is_open_and_only_to_this_machine() -> None:
    opened = {
        name: service["ports"]
        for name, service in COMPOSE["services"].items()
        if "ports" in service
    }

    assert opened == {"web": ["127.0.0.1:${PORT:-8000}:8000"]}


def test_commands_run_and_end_when_they_are_asked_to(
    migrated: str, dotenv: dict[str, str], tmp_path: Path
) -> None:
    port = free_port()
    services = [
        Service(
            name,
            environment_of(name, migrated, dotenv) | {"PORT": str(port)},
            tmp_path / f"{name}.log",
        )
        for name in ("web", "worker", "beat")
    ]
    web, worker, beat = services
    try:
        web.wait_until_it_says("Started worker-1")
        worker.wait_until_it_says(" ready.")
        beat.wait_until_it_says("beat: Starting")

        ready = get(port, "/api/v1/ready", host="localhost")
        assert json.loads(ready.read()) == {
            "status": "READY",
            "components": {"database": "UP", "cache": "UP", "queue": "UP"},
        }
        run(health_check(), {"PATH": search_path(), "PORT": str(port)})
        assert get(port, "/api/v1/ready", host=HOST).status == 200
        assert get(port, "/api/schema", host=HOST, scheme="https").status == 200
        assert get(port, "/api/v1/ready", host="elsewhere.example.com").status == 400
        redirect = get(port, "/api/schema", host=HOST)
        assert (redirect.status, redirect.headers["Location"]) == (
            301,
            f"https://{HOST}/api/schema",
        )

        asked_at = time.monotonic()
        for service in services:
            service.process.send_signal(signal.SIGTERM)
        endings = {
            service.name: service.process.wait(STOP_SECONDS_MAX - (time.monotonic() - asked_at))
            for service in services
        }
        assert endings == {"web": 0, "worker": 0, "beat": 0}
    finally:
        for service in services:
            service.kill()


def test_application_posts_but_cannot_change_what_was_posted(
    migrated: str, dotenv: dict[str, str]
) -> None:
    web = environment_of("web", migrated, dotenv)

    posted = run(
        [sys.executable, "-c", POST_ONE_ENTRY], web | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    )

    assert posted == "posted\n"
    with as_the_application(migrated) as connection:
        assert connection.execute("SELECT count(*) FROM ledger_posting").fetchone() == (2,)
        for statement in (
            "UPDATE ledger_posting SET amount = 1",
            "UPDATE ledger_journalentry SET reference = 'other'",
            "DELETE FROM ledger_posting",
            "DELETE FROM ledger_journalentry",
            "DELETE FROM ledger_accountbalance",
            "TRUNCATE ledger_posting",
            "TRUNCATE ledger_journalentry CASCADE",
            "ALTER TABLE ledger_posting DISABLE TRIGGER ALL",
            "ALTER TABLE ledger_journalentry DISABLE TRIGGER ledger_append_only",
            "DROP TRIGGER ledger_append_only ON ledger_posting",
            "CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger"
            " LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "SET session_replication_role = replica",
            "INSERT INTO django_migrations (app, name, applied) VALUES ('a', 'b', now())",
            "INSERT INTO auth_group_permissions (group_id, permission_id) VALUES (1, 1)",
            "CREATE TABLE elsewhere ()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_every_append_only_table_is_closed_to_the_application(migrated: str) -> None:
    """A new table that refuses changes needs its line in `grants`, too."""
    with as_the_application(migrated) as connection:
        changeable = connection.execute(
            """
            SELECT DISTINCT tgrelid::regclass::text
            FROM pg_trigger
            WHERE tgname = 'ledger_append_only'
                AND has_table_privilege(tgrelid, 'UPDATE, DELETE, TRUNCATE')
            """
        ).fetchall()
        owned = connection.execute(
            "SELECT relname FROM pg_class WHERE relowner = current_user::regrole"
        ).fetchall()

    assert changeable == []
    assert owned == []


def test_operations_page_shows_the_grants_compose_runs() -> None:
    (shown,) = re.findall(
        r"^```sql\n(.*?)^```$",
        (CHECKOUT / "docs/operations.md").read_text(),
        re.MULTILINE | re.DOTALL,
    )

    assert shown == COMPOSE["configs"]["grants"]["content"]


def environment_of(name: str, database: str, dotenv: Mapping[str, str]) -> dict[str, str]:
    """The environment of a service of ours, with the addresses of this machine."""
    given = environment_in(name, dotenv)
    login, _, address = urlsplit(given["DATABASE_URL"]).netloc.rpartition("@")
    assert (address, given["REDIS_URL"]) == ("postgres:5432", "redis://valkey:6379/0")
    # Here the owner of the tables is whoever the tests are.
    is_application = login.startswith("tieout_app:")
    return given | {
        "PATH": search_path(),
        "DATABASE_URL": on_this_machine(database, login=login if is_application else ""),
        "REDIS_URL": settings.REDIS_URL,
    }


def search_path() -> str:
    """The image finds `python` in its virtual environment, this machine in its own."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def health_check() -> list[str]:
    """What the image's HEALTHCHECK runs."""
    (command,) = re.findall(r"^HEALTHCHECK (?:.*\\\n)?\s*CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    return json.loads(command)


def get(port: int, path: str, *, host: str, scheme: str = "http") -> http.client.HTTPResponse:
    """The answer to a request as the proxy passes it on."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    connection.request("GET", path, headers={"Host": host, "X-Forwarded-Proto": scheme})
    return connection.getresponse()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
