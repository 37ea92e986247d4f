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
INSERT INTO reconciliation_match
    (run_id, kind, rule, rule_version, evidence, line_id, amount, {column})
VALUES (%(run)s, %(kind)s, 'exact_reference', 1, '{{}}', %(line)s, 0, 987654321)
"""


@pytest.mark.parametrize(
    "kind", ["payment", "refund", "dispute", "won_dispute", "deposit", "payout"]
)
def test_a_match_is_about_something_there_is(match: Match, kind: str) -> None:
    column = {"deposit": "processor_payout"}.get(kind, kind)
    statement = INSERT_MATCH.format(column=f"{column}_id")

    found = refused(statement, run=match.run_id, kind=kind, line=match.line_id)

    assert found == "reconciliation_match_about_something"


def test_a_payment_has_one_match(match: Match) -> None:
    copied = """
    INSERT INTO reconciliation_match
        (run_id, kind, rule, rule_version, evidence, line_id, amount, payment_id)
    SELECT run_id, kind, rule, rule_version, evidence, line_id, amount, payment_id
    FROM reconciliation_match
    """

    assert refused(copied) == "reconciliation_match_payment_id_key"


OF_ANOTHER_PAYMENT = """
INSERT INTO reconciliation_match
    (run_id, kind, rule, rule_version, evidence, line_id, amount, payment_id)
SELECT run_id, kind, rule, rule_version, evidence, {line}, {amount}, %(payment)s
FROM reconciliation_match
"""


def test_a_match_has_a_line_there_is(match: Match) -> None:
    other = SucceededPaymentFactory(money=eur("5.00"), reference="ORDER-0002")
    statement = OF_ANOTHER_PAYMENT.format(line=987654321, amount="amount")

    assert refused(statement, payment=other.pk) == "reconciliation_match_about_something"


def test_matches_never_exceed_their_line(match: Match) -> None:
    other = SucceededPaymentFactory(money=eur("5.00"), reference="ORDER-0002")
    statement = OF_ANOTHER_PAYMENT.format(line="line_id", amount=1)

    assert refused(statement, payment=other.pk) == "reconciliation_line_not_exceeded"


@pytest.mark.parametrize("amount", ["-1", "amount + 1"])
def test_a_match_uses_what_its_line_has(match: Match, amount: str) -> None:
    other = SucceededPaymentFactory(money=eur("5.00"), reference="ORDER-0002")
    Match.objects.all().delete()
    statement = f"""
    INSERT INTO reconciliation_match
        (run_id, kind, rule, rule_version, evidence, line_id, amount, payment_id)
    SELECT %(run)s, 'payment', 'exact_reference', 1, '{{}}', id, {amount.replace("amount", "net")},
        %(payment)s
    FROM reconciliation_statementline
    """

    found = refused(statement, run=match.run_id, payment=other.pk)

    assert found == "reconciliation_line_not_exceeded"


@pytest.mark.parametrize(
    "table",
    [
        "reconciliation_reconciliationrun",
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
        ("reconciliation_match", "line_id"),
        ("reconciliation_statementline", "file_id"),
    ],
)
def test_nothing_points_elsewhere_later_on(match: Match, table: str, column: str) -> None:
    assert refused(f"UPDATE {table} SET {column} = 987654321") == "ledger_append_only"
