"""Statements the server keeps the plan of say what they say by any other way."""

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from ledger import sql
from ledger.sql.kept import run_kept
from payments.services.engine import is_database_lost
from tests.support.own_names import database_url_of_tests

pytestmark = pytest.mark.django_db(transaction=True)

ECHO = """-- 100%% of what it is given.
SELECT %(text)s::text, %(none)s::text, %(bytes)s::bytea::text,
    (%(number)s::int + 1)::text, %(text)s::text
"""
GIVEN = {"text": 'a\\b "c" %s {d} é €\u2028', "none": None, "bytes": b"\x00\xff", "number": 41}
PREPARED = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'tieout%'"


@pytest.fixture
def driver():
    connection.ensure_connection()
    return connection.connection


def prepared() -> int:
    with connection.cursor() as cursor:
        cursor.execute(PREPARED)
        return cursor.fetchone()[0]


@pytest.fixture
def echo(monkeypatch):
    monkeypatch.setattr(sql, "statement", lambda app, name: ECHO)
    return lambda: sql.texts_kept("ledger", "echo", **GIVEN)


def test_what_goes_in_comes_out_as_by_a_cursor(driver):
    (row,) = run_kept(driver, ECHO, GIVEN)

    assert row == (GIVEN["text"], None, "\\x00ff", "42", GIVEN["text"])
    assert psycopg.Cursor(driver).execute(ECHO, GIVEN).fetchall() == [row]


def test_no_row_and_several(driver):
    text = "SELECT n::text FROM generate_series(1, %(last)s::int) AS n"

    assert run_kept(driver, text, {"last": 0}) == []
    assert run_kept(driver, text, {"last": 3}) == [("1",), ("2",), ("3",)]


def test_a_connection_prepares_a_statement_once(driver, echo):
    before = prepared()
    for _ in range(3):
        echo()
    assert prepared() == before + 1

    connection.close()
    echo()
    assert prepared() == 1


def test_behind_a_pooler_nothing_is_prepared(driver, echo):
    connection.close()
    connection.ensure_connection()
    connection.connection.prepare_threshold = None

    assert echo()[0][3] == "42"

    assert prepared() == 0


def test_a_refusal_says_which_rule_it_broke_and_leaves_the_connection_as_it_was(driver):
    text = "INSERT INTO payments_merchant (code) VALUES (%(code)s) RETURNING code"

    for _ in range(2):
        with pytest.raises(IntegrityError) as refusal, connection.wrap_database_errors:
            run_kept(driver, text, {"code": "x"})
        cause = refusal.value.__cause__
        assert (cause.sqlstate, cause.diag.table_name) == ("23502", "payments_merchant")
        assert not is_database_lost(refusal.value)
    with pytest.raises(psycopg.errors.SyntaxError):
        run_kept(driver, "SELEC %(code)s", {"code": "x"})
    assert run_kept(driver, "SELECT %(code)s::text", {"code": "x"}) == [("x",)]


def test_a_connection_that_is_cut_is_known_to_be_lost(driver, echo):
    echo()
    with psycopg.connect(database_url_of_tests(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [driver.info.backend_pid])

    with pytest.raises(OperationalError) as loss:
        echo()
    assert is_database_lost(loss.value)

    connection.close()
    assert echo()[0][3] == "42"


def test_inside_a_transaction_it_belongs_to_that(driver, monkeypatch):
    text = "INSERT INTO payments_gateway (code) SELECT 'x' WHERE false RETURNING code"
    monkeypatch.setattr(sql, "statement", lambda app, name: text)

    with transaction.atomic():
        sql.texts_kept("payments", "any")
        assert driver.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    assert driver.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
