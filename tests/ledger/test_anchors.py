"""The anchors outside the database, and what a verification trusts."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from ledger.models import AuditEvent
from ledger.services.sealing import seal_entries
from ledger.services.verification import verify_ledger
from tests.support.forgery import Forge, alter_reference, entry, found

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("statement", "subject", "message"),
    [
        (
            "UPDATE ledger_seal SET horizon = now() WHERE number = 2",
            "seal 2",
            "Its hash is not that of what it says.",
        ),
        (
            "UPDATE ledger_seal SET hash = '\\x00' WHERE number = 2",
            "seal 2",
            "Its hash is not that of what it says.",
        ),
        ("DELETE FROM ledger_seal WHERE number = 2", "seal 3", "Seal 2 is missing before it."),
        ("DELETE FROM ledger_seal WHERE number = 1", "seal 2", "Seal 1 is missing before it."),
        (
            "UPDATE ledger_seal SET first_entry_id = first_entry_id - 1 WHERE number = 2",
            "seal 2",
            "Its hash is not that of what it says.",
        ),
    ],
)
def test_a_forged_seal_is_named(
    sealed: None, forge: Forge, statement: str, subject: str, message: str
) -> None:
    forge(statement)

    seals = [problem for problem in verify_ledger(is_full=True) if problem.check == "seal"]

    assert (seals[0].subject, seals[0].message) == (subject, message)


def test_a_root_that_no_mark_explains_names_the_seal(sealed: None, forge: Forge) -> None:
    forge("UPDATE ledger_seal SET merkle_root = '\\x00' WHERE number = 2")

    assert ("seal", "seal 2") in found()


def test_a_lost_anchor_file_is_a_problem(sealed: None, anchor_file: Path) -> None:
    anchor_file.unlink()

    (problem,) = verify_ledger()

    assert (problem.check, problem.subject) == ("anchor", "anchors")
    assert "cannot be read" in problem.message


def test_books_without_seals_need_no_anchors(unsealed: None, anchor_file: Path) -> None:
    assert not anchor_file.exists()
    assert verify_ledger() == []


def test_a_seal_may_be_without_an_anchor_only_for_a_moment(
    sealed: None, forge: Forge, anchor_file: Path
) -> None:
    lines = anchor_file.read_text().splitlines(keepends=True)
    anchor_file.write_text("".join(lines[:2]))
    assert verify_ledger() == []

    forge("UPDATE ledger_seal SET sealed_at = sealed_at - interval '2 minutes'")

    assert [(p.check, p.subject) for p in verify_ledger()] == [("anchor", "seal 3")]


def test_an_anchor_changed_by_somebody_without_the_key_is_a_problem(
    sealed: None, anchor_file: Path
) -> None:
    text = anchor_file.read_text()
    anchor_file.write_text(text.replace('"number": 3', '"number": 4'))

    (problem,) = verify_ledger()

    assert problem.message == "The anchor file has a line that was not signed with our key."


def test_anchors_signed_with_a_former_key_are_still_ours(
    sealed: None, settings: LazySettings
) -> None:
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another-key"
    assert [problem.check for problem in verify_ledger()] == ["anchor"]

    settings.SECRET_KEY_FALLBACKS = [former]

    assert verify_ledger() == []


def test_what_was_verified_once_is_trusted_until_a_full_verification(
    sealed: None, forge: Forge
) -> None:
    assert verify_ledger() == []
    alter_reference(forge)

    assert verify_ledger() == []
    assert found() == [("seal", entry("d5").public_id)]


def test_the_next_verification_begins_where_the_last_one_ended(sealed: None, forge: Forge) -> None:
    verify_ledger()
    seal_entries()
    forge("UPDATE ledger_journalentry SET reference = 'mine' WHERE idempotency_key = 'd10'")

    assert [(p.check, p.subject) for p in verify_ledger()] == [("seal", entry("d10").public_id)]
    events = AuditEvent.objects.filter(action="ledger.verified").values_list("after", flat=True)
    assert [event["number"] for event in events] == [3]


def test_a_verified_seal_that_was_changed_is_trusted_no_more(sealed: None, forge: Forge) -> None:
    verify_ledger()
    bad, _ = alter_reference(forge)
    forge("UPDATE ledger_seal SET hash = '\\x01' WHERE number = 3")

    named = [(problem.subject, problem.message) for problem in verify_ledger()]

    assert named[0] == (bad, "It is not what was sealed. (seal 2)")
    assert named[1][0] == "seal 3"
    assert named[1][1].startswith("It is not the one that was verified on 2")


def test_the_command_lists_problems_for_machines(sealed: None, forge: Forge) -> None:
    bad, _ = alter_reference(forge)
    out = StringIO()

    with pytest.raises(CommandError, match=f"first: {bad}"):
        call_command("verify_ledger", "--json", stdout=out)

    assert json.loads(out.getvalue())["problems"] == [
        {
            "check": "seal",
            "subject": bad,
            "message": "It is not what was sealed. (seal 2)",
            "entry_id": entry("d5").pk,
        }
    ]
