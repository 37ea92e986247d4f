"""Settings as a process meets them: production refuses what is unsafe, all is documented."""

import ast
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import INSECURE_SECRET_KEY

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60
APPS = ("config", "ledger", "payments", "settlements", "reconciliation")
READERS = {"os.environ.get", "os.getenv", "os.environ"}
GOOD = {
    "TIEOUT_ENV": "production",
    "SECRET_KEY": secrets.token_urlsafe(48),
    "ALLOWED_HOSTS": "pay.example.com",
    "DEBUG": "false",
    "DATABASE_URL": "postgresql://tieout_app:password@db.example.com/tieout",
    "REDIS_URL": "redis://cache.example.com:6379/0",
}


def check(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py check` with the good values of production and those given."""
    return subprocess.run(
        [sys.executable, "manage.py", "check", *options],
        env=GOOD | environment,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


def test_good_production_values_leave_nothing_to_warn_about() -> None:
    done = check("--deploy", "--fail-level", "WARNING")

    assert (done.returncode, done.stdout) == (
        0,
        "System check identified no issues (4 silenced).\n",
    ), done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("SECRET_KEY", "", id="no key"),
        pytest.param("SECRET_KEY", INSECURE_SECRET_KEY, id="the key of development"),
        pytest.param("SECRET_KEY", "k" * 49, id="a short key"),
        pytest.param("ALLOWED_HOSTS", "", id="no host"),
        pytest.param("ALLOWED_HOSTS", "pay.example.com,*", id="any host"),
        pytest.param("DEBUG", "true", id="debug"),
        pytest.param("DATABASE_URL", "", id="no database"),
        pytest.param("REDIS_URL", "", id="no redis"),
    ],
)
def test_production_refuses_to_start(name: str, value: str) -> None:
    done = check(**{name: value})

    assert done.returncode != 0
    assert f"TIEOUT_ENV=production refuses to start: {name} unset or unsafe." in done.stderr


def test_production_names_everything_unsafe_at_once() -> None:
    done = check(DEBUG="true", ALLOWED_HOSTS="*", REDIS_URL="")

    assert "refuses to start: ALLOWED_HOSTS, DEBUG, REDIS_URL unset or unsafe." in done.stderr


@pytest.mark.parametrize(
    ("url", "sender", "refused"),
    [
        pytest.param("consolemail://", "us@example.com", "EMAIL_URL", id="in the logs"),
        pytest.param("smtp://mail:25", "", "EMAIL_FROM", id="from nobody"),
        pytest.param("smtp+tls://us:secret@mail:587", "us@example.com", "", id="right"),
    ],
)
def test_production_prints_no_e_mail_and_says_whom_it_comes_from(
    url: str, sender: str, refused: str
) -> None:
    done = check(EMAIL_URL=url, EMAIL_FROM=sender)

    assert (done.returncode == 0) == (not refused), done.stderr
    assert not refused or f"refuses to start: {refused} unset or unsafe." in done.stderr


@pytest.mark.parametrize("value", ["prod", "Production", "staging"])
def test_unknown_environment_is_refused(value: str) -> None:
    """A misspelled `production` must not run with the rules of development."""
    done = check(TIEOUT_ENV=value)

    assert done.returncode != 0
    assert f"TIEOUT_ENV is '{value}'; use development, test or production." in done.stderr


def test_env_example_documents_every_variable_and_no_other() -> None:
    documented = re.findall(r"^#?([A-Z_]+)=", env_example(), re.MULTILINE)

    assert sorted(documented) == sorted(variables_in_source() | variables_in_compose())


def test_env_example_explains_each_variable_in_the_line_above() -> None:
    lines = env_example().splitlines()

    unexplained = [
        line
        for above, line in zip(["", *lines], lines, strict=False)
        if re.match(r"#?[A-Z_]+=", line) and not above.startswith("# ")
    ]

    assert unexplained == []


def env_example() -> str:
    return (CHECKOUT / ".env.example").read_text()


def variables_in_source() -> set[str]:
    """What the program reads: `env.str("NAME")`, `os.environ.get("NAME")` and the like."""
    return {
        name
        for app in APPS
        for path in (CHECKOUT / app).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in names_read_by(node)
    }


def names_read_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=reader, args=[ast.Constant(value=str(name)), *_]):
            pass
        case ast.Subscript(value=reader, slice=ast.Constant(value=str(name)), ctx=ast.Load()):
            pass
        case _:
            return
    source = ast.unparse(reader)
    if source in READERS or source.partition(".")[0] == "env":
        yield name


def variables_in_compose() -> set[str]:
    return set(re.findall(r"\$\{(\w+)", (CHECKOUT / "docker-compose.yml").read_text()))
