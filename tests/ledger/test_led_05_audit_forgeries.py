"""LED-05 for the audit trail: whoever rewrites it behind the triggers is found."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from ledger.actors import Actor
from ledger.audit_seals import TRAIL
from ledger.models import AuditEvent, AuditSeal
from ledger.services import audit, sealing
from ledger.services.sealing import seal_events
from ledger.services.verification import Problem, verify_ledger
from tests.support.forgery import Forge
from tests.support.refusals import refused_by
from tests.support.sealing import anchored

pytestmark = pytest.mark.django_db

ANN = Actor("user", "1", "ann@example.com")
TABLE = "ledger_auditevent"
COPY = f"""
INSERT INTO {TABLE} (id, actor_kind, actor_id, actor_label, action, subject, reason, request_id,
    address, user_agent, before, after, created_at)
OVERRIDING SYSTEM VALUE
SELECT %s, actor_kind, actor_id, actor_label, action, 'forged', reason, request_id, address,
    user_agent, before, after, created_at
FROM {TABLE} WHERE id = %s
"""


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Nine events under three seals of three, with a gap of ids before each."""
    monkeypatch.setattr(sealing, "ENTRIES_PER_SEAL", 3)
    ids = []
    for first in (1, 4, 7):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT nextval('{TABLE}_id_seq')")
        for number in range(first, first + 3):
            event = audit.record("it.done", f"it:{number}", actor=ANN, after={"n": number})
            ids.append(event.pk)
    assert len(seal_events()) == 3
    return ids


def change_who(forge: Forge, ids: list[int]) -> tuple[int, str]:
    forge(f"UPDATE {TABLE} SET actor_label = 'bob@example.com' WHERE id = %s", ids[4])
    return ids[4], "It is not what was sealed."


def change_what(forge: Forge, ids: list[int]) -> tuple[int, str]:
    forge(f"UPDATE {TABLE} SET after = '{{\"n\": 50}}' WHERE id = %s", ids[4])
    return ids[4], "It is not what was sealed."


def change_when(forge: Forge, ids: list[int]) -> tuple[int, str]:
    forge(f"UPDATE {TABLE} SET created_at = created_at - interval '1 us' WHERE id = %s", ids[4])
    return ids[4], "It is not what was sealed."


def move_a_letter(forge: Forge, ids: list[int]) -> tuple[int, str]:
    """From one field to the next, which fields without their lengths would not tell."""
    forge(f"UPDATE {TABLE} SET action = 'it.don', subject = 'eit:5' WHERE id = %s", ids[4])
    return ids[4], "It is not what was sealed."


def swap_two(forge: Forge, ids: list[int]) -> tuple[int, str]:
    for old, new in ((ids[4], 10**9), (ids[7], ids[4]), (10**9, ids[7])):
        forge(f"UPDATE {TABLE} SET id = %s WHERE id = %s", new, old)
    return ids[4], "It is not what was sealed."


def insert_into_gap(forge: Forge, ids: list[int]) -> tuple[int, str]:
    forge(COPY, ids[3] - 1, ids[2])
    return ids[3] - 1, "It was inserted after sealing."


@pytest.mark.parametrize(
    "forgery", [change_who, change_what, change_when, move_a_letter, swap_two, insert_into_gap]
)
def test_the_first_bad_event_is_named(
    events: list[int], forge: Forge, forgery: Callable[[Forge, list[int]], tuple[int, str]]
) -> None:
    assert verify_ledger(is_full=True) == []
    bad, message = forgery(forge, events)

    problem = verify_ledger(is_full=True)[0]

    assert (problem.check, problem.subject) == ("seal", f"audit event #{bad}")
    assert problem.message == f"{message} (audit seal 2)"


@pytest.mark.parametrize("place", [4, 5])
def test_an_event_that_was_removed_is_named(events: list[int], forge: Forge, place: int) -> None:
    forge(f"DELETE FROM {TABLE} WHERE id = %s", events[place])

    assert verify_ledger(is_full=True) == [
        Problem(
            "seal",
            f"audit event #{events[place]}",
            "An entry sealed there is gone. (audit seal 2)",
        )
    ]


def test_an_event_where_no_seal_looks_is_named(events: list[int], forge: Forge) -> None:
    forge(COPY, -5, events[2])

    assert [problem.subject for problem in verify_ledger()] == ["audit event #-5"]


def test_a_trail_whose_end_was_cut_off_contradicts_its_anchors(
    events: list[int], forge: Forge, anchor_file: Path
) -> None:
    assert anchored(anchor_file.with_name("audit-anchors.log")) == [1, 2, 3]
    forge(f"DELETE FROM {TABLE} WHERE id >= %s", events[6])
    forge("DELETE FROM ledger_auditseal WHERE number = 3")

    assert verify_ledger(is_full=True) == [
        Problem(
            "anchor",
            "audit seal 3",
            "It was anchored and is gone: the end of the audit trail was cut off.",
        )
    ]


def test_a_trail_that_was_rewritten_contradicts_its_anchors(
    events: list[int], forge: Forge, anchor_file: Path
) -> None:
    change_who(forge, events)
    kept = anchor_file.with_name("audit-anchors.log").read_text()
    forge("DELETE FROM ledger_auditseal")
    seal_events()
    anchor_file.with_name("audit-anchors.log").write_text(kept)

    assert [problem.subject for problem in verify_ledger(is_full=True)] == [
        "audit seal 2",
        "audit seal 3",
    ]


def test_anchors_of_the_journal_do_not_stand_in_for_those_of_the_trail(
    sealed: None, events: list[int], anchor_file: Path
) -> None:
    trail = anchor_file.with_name("audit-anchors.log")
    trail.write_text(anchor_file.read_text())

    problems = {(found.subject, found.message) for found in verify_ledger()}

    assert (
        "audit-anchors",
        "The anchor file has a line that was not signed with our key.",
    ) in problems


def test_a_verified_trail_is_trusted_until_a_full_verification(
    events: list[int], forge: Forge
) -> None:
    assert verify_ledger() == []
    change_who(forge, events)

    assert verify_ledger() == []
    assert [found.subject for found in verify_ledger(is_full=True)] == [f"audit event #{events[4]}"]


def test_the_next_verification_begins_where_the_last_one_ended(
    events: list[int], forge: Forge
) -> None:
    verify_ledger()
    late = audit.record("it.done", "it:late", actor=ANN)
    seal_events()
    forge(f"UPDATE {TABLE} SET reason = 'x' WHERE id = %s", late.pk)

    (problem,) = verify_ledger()

    assert problem.subject == f"audit event #{late.pk}"
    verified = AuditEvent.objects.filter(action="audit.verified")
    assert [event.after["number"] for event in verified] == [3]


def test_events_that_were_never_verified_are_all_sealed_in_order(events: list[int]) -> None:
    seals = list(AuditSeal.objects.order_by("number"))

    assert [(seal.first_entry_id, seal.last_entry_id) for seal in seals] == [
        (events[0], events[2]),
        (events[3], events[5]),
        (events[6], events[8]),
    ]
    assert [seal.previous_hash for seal in seals[1:]] == [seal.hash for seal in seals[:-1]]
    assert seal_events() == []
    assert TRAIL.newest() == seals[-1]


def test_the_database_changes_no_seal_of_the_trail(events: list[int]) -> None:
    assert refused_by("UPDATE ledger_auditseal SET number = 9") == "ledger_append_only"
    assert refused_by("DELETE FROM ledger_auditseal") == "ledger_append_only"
