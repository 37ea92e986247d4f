"""docker-compose.yml as the tests run it: its environments, its grants, its application role."""

import os
import re
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import yaml
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

from config.embedded.places import CHECKOUT, find_places

COMPOSE = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
APPLICATION = "tieout_app"
PATIENCE_SECONDS = 120
PG_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
}


def new_dotenv() -> dict[str, str]:
    """What an operator writes into .env, and where Celery finds this run's own Redis number."""
    return {
        "SECRET_KEY": secrets.token_hex(32),
        "ALLOWED_HOSTS": "pay.example.com",
        "POSTGRES_PASSWORD": secrets.token_hex(32),
        "APP_PASSWORD": secrets.token_hex(32),
        "CELERY_BROKER_URL": settings.CELERY_BROKER_URL,
    }


def run_grants(database: str, dotenv: Mapping[str, str], folder: Path) -> None:
    """The application role may do in this database what the service `grants` lets it."""
    script = folder / "grants.sql"
    script.write_text(interpolated(COMPOSE["configs"]["grants"]["content"], dotenv))
    grants = COMPOSE["services"]["grants"]
    (mounted,) = grants["configs"]
    psql, *options = (part.replace(mounted["target"], str(script)) for part in grants["command"])
    here = conninfo_to_dict(on_this_machine(database))
    variables = {PG_VARIABLES[key]: str(value) for key, value in here.items()}
    program = find_places().postgres_programs / psql
    run([str(program), *options], environment_in("grants", dotenv) | variables)


def drop_application_role(database: str = "") -> None:
    """The role is gone, unless another run of the tests needs it; its rights in `database` are."""
    url = on_this_machine(database) if database else settings.DATABASE_URL
    with psycopg.connect(url, autocommit=True) as connection:
        if database:
            connection.execute(f"DROP OWNED BY {APPLICATION}")
        with suppress(psycopg.errors.DependentObjectsStillExist):
            connection.execute(f"DROP ROLE IF EXISTS {APPLICATION}")


def as_the_application(database: str) -> psycopg.Connection:
    dsn = conninfo_to_dict(on_this_machine(database)) | {"user": APPLICATION}
    return psycopg.connect(**dsn, autocommit=True)


def environment_in(name: str, dotenv: Mapping[str, str]) -> dict[str, str]:
    entries: dict[str, str] = COMPOSE["services"][name]["environment"]
    return {key: interpolated(text, dotenv) for key, text in entries.items()}


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """What compose makes of `${NAME:?why}`, `${NAME:-default}` and `$$`."""

    def value(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        if found["default"] is None:
            return variables[found["name"]]
        return variables.get(found["name"]) or found["default"]

    return re.sub(r"\$\$|\$\{(?P<name>\w+)(?::\?[^}]*|:-(?P<default>[^}]*))\}", value, text)


def on_this_machine(database: str, *, login: str = "") -> str:
    """The URL of this database on the tests' own server."""
    url = urlsplit(settings.DATABASE_URL)
    own_login, _, address = url.netloc.rpartition("@")
    return url._replace(netloc=f"{login or own_login}@{address}", path=f"/{database}").geturl()


def run(command: Sequence[str | os.PathLike[str]], environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        command,
        env=environment,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
