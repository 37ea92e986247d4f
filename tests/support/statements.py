"""What is really sent to the database, past Django's own log of it too."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from ledger import sql


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first line of every statement executed from now on; savepoints without their names."""
    sent: list[str] = []

    def noted(send: Callable[..., Any]) -> Callable[..., Any]:
        def note_and_send(sender: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
            line = str(query).strip().splitlines()[0]
            sent.append(line.split(' "')[0] if "SAVEPOINT" in line else line)
            return send(sender, query, *args, **kwargs)

        return note_and_send

    monkeypatch.setattr(psycopg.Cursor, "execute", noted(psycopg.Cursor.execute))
    monkeypatch.setattr(sql, "run_kept", noted(sql.run_kept))
    return sent
