"""What the database itself refuses, whoever asks."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import Error, IntegrityError, connection, transaction

from tests.support.books import query


def refused_by(statement: str, params: Sequence[Any] | None = None) -> str:
    """The name of the constraint that refuses the statement. The journal has not changed then."""
    before = journal()
    with (
        pytest.raises(IntegrityError) as refusal,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, params)
    assert journal() == before
    return constraint_of(refusal.value)


def constraint_of(refusal: IntegrityError) -> str:
    return refusal.__cause__.diag.constraint_name  # type: ignore[union-attr]


def journal() -> list[list[tuple[Any, ...]]]:
    """Everything that must never change, as it is."""
    return [
        query("SELECT * FROM ledger_journalentry ORDER BY id"),
        query("SELECT * FROM ledger_posting ORDER BY entry_id, position"),
        query("SELECT * FROM ledger_accountbalance ORDER BY account_id"),
    ]


def refusal_of(statement: str, params: Sequence[Any] | None = None) -> tuple[str, str | None]:
    """The SQLSTATE and the constraint the statement is refused with. Nothing has changed then."""
    before = journal()
    with pytest.raises(Error) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, params)
    assert journal() == before
    diagnosis = refusal.value.__cause__.diag  # type: ignore[union-attr]
    return diagnosis.sqlstate, diagnosis.constraint_name
