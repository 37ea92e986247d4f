"""Array parameters arrive in PostgreSQL as the values they were."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.sql.arrays import array_literal

quietly = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
text = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
awkward = st.sampled_from(["", " ", "NULL", "null", '"', "\\", '\\"', "{", "}", "{}", ",", "a,b"])
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
days = st.dates(date(1, 1, 1), date(9999, 12, 31))


def arrays(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values) | st.lists(st.none() | values)


def through_postgresql(values: list[Any], kind: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}[]", [array_literal(values)])
        (found,) = cursor.fetchone()
    return [bytes(value) if isinstance(value, memoryview) else value for value in found]


@pytest.mark.django_db
@quietly
@given(values=arrays(awkward | text))
def test_texts(values: list[str | None]) -> None:
    assert through_postgresql(values, "text") == values


@pytest.mark.django_db
@quietly
@given(values=arrays(st.integers(-(2**63), 2**63 - 1)))
def test_integers(values: list[int | None]) -> None:
    assert through_postgresql(values, "bigint") == values


@pytest.mark.django_db
@quietly
@given(values=st.lists(st.binary(max_size=40)))
def test_bytes(values: list[bytes]) -> None:
    assert through_postgresql(values, "bytea") == values


@pytest.mark.django_db
@quietly
@given(values=arrays(moments))
def test_moments(values: list[datetime | None]) -> None:
    assert through_postgresql(values, "timestamptz") == values


@pytest.mark.django_db
@quietly
@given(values=arrays(days))
def test_days(values: list[date | None]) -> None:
    assert through_postgresql(values, "date") == values
