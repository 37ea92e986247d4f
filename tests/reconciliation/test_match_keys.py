"""What matches and lines point at exists and stays, though no key is enforced row by row."""

import pytest
from django.db import IntegrityError, connection, transaction

from reconciliation.models import Match
from reconciliation.services.runs import reconcile
from tests.factories import GatewayFactory, SucceededPaymentFactory, eur
from tests.support.reports import charge, define_sources, load, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


@pytest.fixture
def match() -> Match:
    GatewayFactory()
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    load(define_sources()[0], report(charge(payment, "txn_1")))
    reconcile()
    return Match.objects.get()


def refused(statement: str, **values: int) -> str:
    """The constraint that refuses it."""
    with (
        pytest.raises(IntegrityError) as caught,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, values)
    return caught.value.__cause__.diag.constraint_name


INSERT_MATCH = """
INSERT INTO reconciliation_match (run_id, kind, rule, rule_version, evidence, {column})
VALUES (%(run)s, %(kind)s, 'exact_reference', 1, '{{}}', 987654321)
"""


@pytest.mark.parametrize("kind", ["payment", "refund", "dispute", "deposit", "payout"])
def test_a_match_is_about_something_there_is(match: Match, kind: str) -> None:
    column = {"deposit": "processor_payout"}.get(kind, kind)
    statement = INSERT_MATCH.format(column=f"{column}_id")

    found = refused(statement, run=match.run_id, kind=kind)

    assert found == "reconciliation_match_about_something"


def test_a_payment_has_one_match(match: Match) -> None:
    copied = """
    INSERT INTO reconciliation_match (run_id, kind, rule, rule_version, evidence, payment_id)
    SELECT run_id, kind, rule, rule_version, evidence, payment_id FROM reconciliation_match
    """

    assert refused(copied) == "reconciliation_match_payment_id_key"


@pytest.mark.parametrize(
    ("match_id", "line_id"), [("match_id", "987654321"), ("987654321", "line_id")]
)
def test_a_part_is_of_a_match_and_a_line(match: Match, match_id: str, line_id: str) -> None:
    copied = f"""
    INSERT INTO reconciliation_matchline (match_id, line_id, amount)
    SELECT {match_id}, {line_id}, amount FROM reconciliation_matchline
    """

    assert refused(copied) == "reconciliation_part_of_match_and_line"


def test_parts_never_exceed_their_line(match: Match) -> None:
    other = SucceededPaymentFactory(money=eur("5.00"), reference="ORDER-0002")
    second = Match.objects.create(
        run=match.run, kind="payment", rule="exact_reference", rule_version=1, evidence={},
        payment=other,
    )  # fmt: skip
    part = """
    INSERT INTO reconciliation_matchline (match_id, line_id, amount)
    SELECT %(match)s, line_id, 1 FROM reconciliation_matchline
    """

    assert refused(part, match=second.pk) == "reconciliation_line_not_exceeded"


@pytest.mark.parametrize(
    "table",
    [
        "reconciliation_reconciliationrun",
        "reconciliation_match",
        "reconciliation_statementline",
        "reconciliation_statementfile",
        "reconciliation_sourceaccount",
    ],
)
def test_what_is_used_is_not_deleted(match: Match, table: str) -> None:
    assert refused(f"DELETE FROM {table}") == "reconciliation_keep_what_is_used"


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("payments_payment", "id"),
        ("reconciliation_match", "run_id"),
        ("reconciliation_match", "payment_id"),
        ("reconciliation_matchline", "line_id"),
        ("reconciliation_statementline", "file_id"),
    ],
)
def test_nothing_points_elsewhere_later_on(match: Match, table: str, column: str) -> None:
    assert refused(f"UPDATE {table} SET {column} = 987654321") == "ledger_append_only"
