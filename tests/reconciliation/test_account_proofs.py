"""What is kept of tie-outs after runs, for those who only want to know whether all is well."""

from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from django.utils import timezone

from ledger.money import Money
from reconciliation.locks import PROOFS_LOCK
from reconciliation.models import AccountProof, Source, SourceAccount
from reconciliation.reports import known_horizon
from reconciliation.selectors import tie_out, tie_outs
from reconciliation.services.account_proofs import keep_due_proofs, keep_proofs
from reconciliation.services.runs import match_arrivals, reconcile
from tests.factories import GatewayFactory, SucceededPaymentFactory, eur
from tests.support.own_names import database_url_of_tests
from tests.support.reports import DAY, bank_of, charge, define_sources, load, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]
NEXT = DAY + timedelta(days=1)


@pytest.fixture
def sources() -> tuple[Source, Source]:
    """A processor that reported a payment before it was taken, and a bank line of nobody."""
    GatewayFactory()
    processor, bank = define_sources()
    payment = SucceededPaymentFactory(money=eur("100.00"))
    day = f"{DAY} 00:00:00"
    row = charge(payment, "txn_1", created_utc=day, available_on_utc=day)
    load(processor, report(row))
    account = bank_of()
    account.book(eur("-1.00"), counterparty="Office Rent GmbH", text="RENT")
    load(bank, account.statement())
    return processor, bank


def kept() -> dict[str, tuple[Any, ...]]:
    return {
        proof.source_account.source.code: (
            *(proof.day, proof.book, proof.statement, proof.explained, proof.open_items),
        )
        for proof in AccountProof.objects.select_related("source_account__source")
    }


def proved(day: date) -> dict[str, tuple[Any, ...]]:
    return {
        proof.account.source.code: (
            *(day, proof.book.amount, proof.statement.amount, proof.open.amount),
            len(proof.open_items),
        )
        for proof in tie_outs(day)
    }


def test_tie_outs_after_a_full_run_are_kept(sources: tuple[Source, Source]) -> None:
    run = reconcile()
    assert kept() == {}

    keep_due_proofs()

    assert kept() == proved(DAY)
    assert kept() == {
        "sim": (DAY, 0, 9_835, -9_835, 1),
        "bank": (DAY, 100_000, 99_900, 100, 1),
    }
    for proof in AccountProof.objects.all():
        assert proof.difference == 0
        assert run.finished_at is not None
        assert run.finished_at <= proof.known_at <= timezone.now()


def test_they_are_worked_out_once_for_each_run(sources: tuple[Source, Source]) -> None:
    reconcile()
    keep_due_proofs()
    AccountProof.objects.update(book=7)

    keep_due_proofs()
    assert {each[1] for each in kept().values()} == {7}

    reconcile()
    keep_due_proofs()
    assert kept() == proved(DAY)


def test_none_are_due_after_arrivals(sources: tuple[Source, Source]) -> None:
    assert match_arrivals() is not None

    keep_due_proofs()

    assert kept() == {}


def test_run_of_one_source_makes_those_of_its_accounts_due(sources: tuple[Source, Source]) -> None:
    reconcile(source=sources[1])

    keep_due_proofs()

    assert set(kept()) == {"bank"}


def test_later_day_and_later_knowledge_replace_and_earlier_ones_do_not(
    sources: tuple[Source, Source],
) -> None:
    reconcile()
    keep_due_proofs()
    first = kept()

    reconcile(as_of=DAY - timedelta(days=1))
    keep_due_proofs()
    assert kept() == first
    account = SourceAccount.objects.get(source=sources[1])
    later = timezone.now() + timedelta(hours=1)
    AccountProof.objects.update(known_at=later, book=7)
    keep_proofs([account], day=DAY, known_at=known_horizon())
    assert kept()["bank"][1] == 7
    keep_proofs([account], day=NEXT, known_at=known_horizon())
    assert kept()["bank"] == (NEXT, *first["bank"][1:])


def test_what_was_kept_is_what_the_day_is_as_known_then(sources: tuple[Source, Source]) -> None:
    reconcile()
    keep_due_proofs()
    first = kept()["bank"]
    proof = AccountProof.objects.get(source_account__source=sources[1])
    late = bank_of(NEXT, opening="999.00")
    late.book(eur("-2.00"), counterparty="Office Rent GmbH", text="RENT")
    load(sources[1], late.statement())
    reconcile()
    keep_due_proofs()

    found = tie_out(proof.source_account, day=proof.day, known_at=proof.known_at)

    assert (found.book.amount, found.statement.amount, found.open) == (
        *(proof.book, proof.statement, Money(proof.explained, "EUR")),
    )
    assert kept()["bank"] == proved(NEXT)["bank"] != (NEXT, *first[1:])


@pytest.mark.django_db(transaction=True)
def test_what_somebody_else_may_still_add_is_waited_for(sources: tuple[Source, Source]) -> None:
    with psycopg.connect(database_url_of_tests()) as other:
        other.execute("SELECT 1")
        reconcile()
        keep_due_proofs()
        assert kept() == {}

    keep_due_proofs()
    assert kept() == proved(DAY)


@pytest.mark.django_db(transaction=True)
def test_one_at_a_time_works_them_out(sources: tuple[Source, Source]) -> None:
    reconcile()
    with psycopg.connect(database_url_of_tests(), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [PROOFS_LOCK])
        keep_due_proofs()
        assert kept() == {}

    keep_due_proofs()
    assert kept() == proved(DAY)
