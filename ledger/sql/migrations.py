"""Lets a migration run the SQL files beside it."""

from pathlib import Path

from django.db.migrations import RunSQL


def run_sql_file(migration: str) -> RunSQL:
    """RunSQL of `sql/<migration>.sql`, reversed by its `.reverse.sql`. Pass `__file__`."""
    path = Path(migration)
    forward = path.parent / "sql" / f"{path.stem}.sql"
    reverse = path.parent / "sql" / f"{path.stem}.reverse.sql"
    return RunSQL(forward.read_text(), reverse.read_text())
