"""What is really sent to the database, past Django's own log of it too."""

from typing import Any

import psycopg
import pytest


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first line of every statement executed from now on; savepoints without their names."""
    sent: list[str] = []
    execute = psycopg.Cursor.execute

    def noted(cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        line = str(query).strip().splitlines()[0]
        sent.append(line.split(' "')[0] if "SAVEPOINT" in line else line)
        return execute(cursor, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", noted)
    return sent
