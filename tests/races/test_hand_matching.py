"""People and runs at the same line: one is first, and what it proves is posted once."""

from typing import Any

import pytest

from ledger.actors import Actor
from ledger.models import JournalEntry
from reconciliation.models import FeeGroup, Match, ReconciliationRun, StatementLine, UndoneMatch
from reconciliation.selectors import tie_outs
from reconciliation.services.hand_matching import match_by_hand
from reconciliation.services.runs import match_arrivals, reconcile
from reconciliation.services.undone_matches import undo_match
from tests.factories import GatewayFactory, MerchantFactory, SucceededPaymentFactory, eur
from tests.support.books import assert_books_balance
from tests.support.hand_matching import ANN, BOB, LATER, STRANGER
from tests.support.races import run_together
from tests.support.reports import charge, define_sources, load, report

pytestmark = pytest.mark.django_db(transaction=True)

LINES = 4


@pytest.fixture(autouse=True)
def all_is_right() -> Any:
    yield
    assert_books_balance()
    assert not any(proof.difference for proof in tie_outs(LATER))


@pytest.fixture
def sources():
    GatewayFactory()
    return define_sources()


def payments(count: int) -> list[Any]:
    merchant = MerchantFactory()
    return [
        SucceededPaymentFactory(merchant=merchant, money=eur("100.00"), reference=f"ORDER-{number}")
        for number in range(count)
    ]


def names(outcomes: list[Any]) -> list[str]:
    return sorted(type(outcome).__name__ for outcome in outcomes)


def match(line: StatementLine, payment: Any, actor: Actor) -> Match:
    return match_by_hand(line, payment, reason="I asked.", actor=actor)


def test_two_people_match_the_same_line_to_different_payments_and_one_wins(sources):
    ours = payments(2 * LINES)
    load(
        sources[0],
        report(*(charge(each, f"txn_{n}", **STRANGER) for n, each in enumerate(ours[:LINES]))),
    )
    for number, line in enumerate(StatementLine.objects.order_by("line_no")):
        one, other = ours[2 * number : 2 * number + 2]

        outcomes = run_together(
            lambda line=line, one=one: match(line, one, ANN),
            lambda line=line, other=other: match(line, other, BOB),
        )

        assert names(outcomes) == ["AlreadyMatched", "Match"]
        assert Match.objects.filter(line=line).count() == 1
    assert JournalEntry.objects.filter(kind="processor_fees").count() == LINES


def test_an_undoing_by_two_people_happens_once(sources):
    ours = payments(LINES)
    load(sources[0], report(*(charge(each, f"txn_{n}") for n, each in enumerate(ours))))
    reconcile()
    for found in list(Match.objects.order_by("pk")):
        outcomes = run_together(
            lambda found=found: undo_match(found, reason="Wrong.", actor=ANN),
            lambda found=found: undo_match(found, reason="Wrong.", actor=BOB),
        )

        assert names(outcomes) == ["MatchNotFound", "UndoneMatch"]
    assert UndoneMatch.objects.count() == LINES
    assert JournalEntry.objects.filter(kind="processor_fee_undone").count() == LINES


def test_a_run_and_a_person_at_the_same_line_post_its_fee_once(sources):
    ours = payments(1)
    load(sources[0], report(charge(ours[0], "txn_1")))
    line = StatementLine.objects.get()

    outcomes = run_together(lambda: match(line, ours[0], ANN), reconcile)

    assert names(outcomes) in (
        ["Match", "ReconciliationRun"],
        ["AlreadyMatched", "ReconciliationRun"],
        ["ReconciliationRun", "ReconciliationUnderWay"],
    )
    assert Match.objects.count() == 1
    assert JournalEntry.objects.filter(kind="processor_fees").count() == 1


def test_of_several_workers_that_heard_of_a_file_one_matches_it(sources):
    ours = payments(LINES)
    load(sources[0], report(*(charge(each, f"txn_{n}") for n, each in enumerate(ours))))

    outcomes = run_together(match_arrivals, match_arrivals, match_arrivals)

    runs = [outcome for outcome in outcomes if isinstance(outcome, ReconciliationRun)]
    assert [run.match_count for run in runs if run.match_count] == [LINES]
    assert match_arrivals() is None
    assert FeeGroup.objects.get().match_count == LINES
