"""Lets a migration run the SQL files beside it."""

from pathlib import Path

from django.db.migrations import RunSQL


def run_sql_files(migration: str, *names: str, undo: str) -> RunSQL:
    """RunSQL of `sql/<name>.sql`, in this order, reversed by `sql/<undo>.sql`. Pass `__file__`."""
    folder = Path(migration).parent / "sql"
    forward = "\n".join((folder / f"{name}.sql").read_text() for name in names)
    return RunSQL(forward, (folder / f"{undo}.sql").read_text())
