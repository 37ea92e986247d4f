"""House rules about the sources, read as they are."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

from config.embedded.places import CHECKOUT
from reconciliation.matching_rules import MATCHING_RULES

FLOORS = ("ledger", "payments", "settlements", "reconciliation")
HOUSE = (*FLOORS, "config")
SQL_FILES = sorted(path for floor in FLOORS for path in (CHECKOUT / floor).rglob("*.sql"))
MESSAGES = {"delay", "apply_async", "send_task", "delay_on_commit", "apply_async_on_commit"}
# Delays and retries are rows with a due date; a message must not carry them.
DELAYS = {"countdown", "eta", "autoretry_for"}
RETRIES = {"retry"}


def sources(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    for package in packages:
        for path in sorted((CHECKOUT / package).rglob("*.py")):
            yield str(path.relative_to(CHECKOUT)), ast.parse(path.read_text())


def calls(*packages: str) -> Iterator[tuple[str, str, ast.Call]]:
    """Every call: where, the last part of what is called, and the call."""
    for path, tree in sources(*packages):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
                yield f"{path}:{node.lineno}", name, node


def test_import_contracts_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHECKOUT)
    # It would switch off every logger there is, for the tests that come after.
    monkeypatch.setattr("logging.config.dictConfig", lambda config: None)

    assert lint_imports(no_cache=True) == 0


def test_asy_08_only_the_doorbell_sends_messages() -> None:
    found = [where for where, name, _ in calls(*HOUSE) if name in MESSAGES]

    assert [where.split(":")[0] for where in found] == ["payments/doorbell.py"]


def test_asy_08_no_message_is_delayed_or_retried() -> None:
    found = [
        where
        for where, name, call in calls(*HOUSE)
        if name in RETRIES or DELAYS & {keyword.arg for keyword in call.keywords}
    ]

    assert found == []


def test_no_float_comes_near_money() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in sources(*FLOORS)
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]

    assert found == []


def test_one_place_changes_what_was_posted() -> None:
    """Outside the ledger nobody writes its tables, in SQL either."""
    tables = "ledger_account", "ledger_accountbalance", "ledger_journalentry", "ledger_posting"
    verbs = "INSERT INTO", "UPDATE", "DELETE FROM"

    found = [
        path.name
        for path in SQL_FILES
        if path.relative_to(CHECKOUT).parts[0] != "ledger"
        for table in tables
        for verb in verbs
        if f"{verb} {table}" in path.read_text()
    ]

    assert found == []


@pytest.mark.parametrize("path", SQL_FILES, ids=lambda path: path.name)
def test_sql_file_says_what_it_does_in_its_first_line(path: Path) -> None:
    first_line = path.read_text().splitlines()[0]

    is_reverse = path.name.endswith(".reverse.sql")
    assert is_reverse or first_line.startswith("-- ")


def statements() -> Iterator[tuple[str, str, str]]:
    """Every `sql.rows`, `sql.execute`, `send` …: where, the app and the name of its statement."""
    for path, tree in sources(*HOUSE):
        for node in ast.walk(tree):
            match node:
                case ast.Call(
                    func=ast.Attribute(
                        value=ast.Name(id="sql"), attr="rows" | "texts_kept" | "execute"
                    )
                    | ast.Attribute(
                        value=ast.Name(id="transaction"), attr="only" | "row" | "finish"
                    )
                    | ast.Name(id="send"),
                    args=[app, name],
                ):
                    yield f"{path}:{node.lineno}", text_of(app, path), text_of(name, path)


def text_of(node: ast.expr, path: str) -> str:
    """What an argument says: a literal, a constant of its module, or "" if it is computed."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
            return str(getattr(module, name))
        case _:
            return ""


def test_every_statement_that_is_run_has_its_file() -> None:
    named = [(where, app, name) for where, app, name in statements() if name]
    computed = [where.split(":")[0] for where, _, name in statements() if not name]

    missing = [
        (where, f"{app}/sql/{name}.sql")
        for where, app, name in named
        if not (CHECKOUT / app / "sql" / f"{name}.sql").exists()
    ]
    assert len(named) > 20
    assert missing == []
    assert computed == ["reconciliation/services/matching.py"]  # the rules, see below


def test_every_matching_rule_has_its_statement() -> None:
    for rule in MATCHING_RULES:
        assert (CHECKOUT / "reconciliation" / "sql" / f"{rule.sql}.sql").exists(), rule


def test_every_statement_is_run_by_somebody() -> None:
    run = {(app, name) for _, app, name in statements()}
    run |= {("reconciliation", rule.sql) for rule in MATCHING_RULES}
    there = {(path.parts[-3], path.stem) for path in SQL_FILES if path.parent.name == "sql"} - {
        (path.parts[-3], path.stem) for path in SQL_FILES if "migrations" in path.parts
    }

    assert sorted(there - run) == []
