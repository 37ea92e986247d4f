"""The proof finds what was forged behind the triggers' back, and names the first bad entry."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection

from ledger.entries import fingerprint_of
from ledger.models import AuditEvent, JournalEntry, Seal
from ledger.services import sealing
from ledger.services.day_totals import add_day_totals
from ledger.services.posting import post_entries
from ledger.services.sealing import seal_entries
from ledger.services.verification import Problem, verify_ledger
from tests.support.entries import NOON, deposit, transfer, wallet

pytestmark = pytest.mark.django_db

Forge = Callable[..., None]

# What a careful forger does afterwards, so that totals tell nothing.
MEND_BALANCES = """
UPDATE ledger_accountbalance AS balance
SET debits = coalesce(posted.debits, 0), credits = coalesce(posted.credits, 0)
FROM ledger_account AS account
LEFT JOIN (
    SELECT account_id, sum(amount) FILTER (WHERE direction = 'debit') AS debits,
        sum(amount) FILTER (WHERE direction = 'credit') AS credits
    FROM ledger_posting GROUP BY account_id
) AS posted ON posted.account_id = account.id
WHERE account.id = balance.account_id
"""
INSERT_ENTRY = """
WITH entry AS (
    INSERT INTO ledger_journalentry (id, public_id, idempotency_key, fingerprint, kind, reference,
        posting_count, effective_at, posted_at)
    OVERRIDING SYSTEM VALUE
    SELECT %s, 'je_forged', 'forged', fingerprint, kind, reference, 2, effective_at, posted_at
    FROM ledger_journalentry WHERE idempotency_key = 'd3'
    RETURNING id
)
INSERT INTO ledger_posting (entry_id, position, account_id, direction, amount)
SELECT entry.id, position, account_id, direction, amount
FROM entry, ledger_posting WHERE entry_id = (
    SELECT id FROM ledger_journalentry WHERE idempotency_key = 'd3'
)
"""


@pytest.fixture
def forge() -> Forge:
    """Run SQL as somebody who switched the triggers off."""

    def run(statement: str, *params: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(statement, params)
            cursor.execute("SET LOCAL session_replication_role = origin")

    return run


@pytest.fixture
def unsealed(forge: Forge) -> None:
    post_entries([deposit("d1", wallet("a"), 10), deposit("d2", wallet("b"), 20)])


@pytest.fixture
def sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine entries d1 … d9 under three seals of three, with a gap of ids before each; one more."""
    monkeypatch.setattr(sealing, "ENTRIES_PER_SEAL", 3)
    for first in (1, 4, 7):
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('ledger_journalentry_id_seq')")
        post_entries([deposit(f"d{n}", wallet("a"), 10 * n) for n in range(first, first + 3)])
    seal_entries()
    post_entries([deposit("d10", wallet("a"), 100)])


def entry(key: str) -> JournalEntry:
    return JournalEntry.objects.get(idempotency_key=key)


def mend(forge: Forge) -> None:
    """Make balances and day totals agree with whatever postings and seals there are now."""
    forge(MEND_BALANCES)
    forge("DELETE FROM ledger_daytotal")
    for seal in Seal.objects.order_by("number"):
        add_day_totals(seal.first_entry_id, seal.last_entry_id)


def found() -> list[tuple[str, str]]:
    return [(problem.check, problem.subject) for problem in verify_ledger(is_full=True)]


def test_books_that_hold_have_no_problems(unsealed: None) -> None:
    assert verify_ledger(is_full=True) == []
    call_command("verify_ledger", "--full")


def test_sealed_books_that_hold_have_no_problems(sealed: None) -> None:
    assert list(Seal.objects.order_by("number").values_list("entry_count", flat=True)) == [3, 3, 3]
    assert verify_ledger(is_full=True) == verify_ledger() == []


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "UPDATE ledger_posting SET amount = 11 WHERE amount = 10 AND direction = 'debit'",
            "debits are not credits",
        ),
        ("DELETE FROM ledger_posting WHERE amount = 10 AND position = 1", "1 postings of 2"),
        ("DELETE FROM ledger_posting WHERE amount = 10", "it has no postings"),
        ("DELETE FROM ledger_journalentry WHERE idempotency_key = 'd1'", "have no entry"),
        (
            "UPDATE ledger_posting SET account_id = 0 WHERE amount = 10 AND position = 1",
            "names no account",
        ),
    ],
)
def test_a_forged_entry_is_named(
    unsealed: None, forge: Forge, statement: str, message: str
) -> None:
    first = entry("d1")

    forge(statement)

    problem = verify_ledger()[0]
    assert (problem.check, problem.entry_id) == ("entry", first.pk)
    assert problem.subject in (first.public_id, f"#{first.pk}")
    assert message in problem.message
    with pytest.raises(CommandError, match="does not hold"):
        call_command("verify_ledger")


def test_an_entry_where_nothing_else_looks_is_named(unsealed: None, forge: Forge) -> None:
    forge("UPDATE ledger_journalentry SET id = -5 WHERE idempotency_key = 'd1'")
    forge("UPDATE ledger_posting SET entry_id = -5 WHERE amount = 10")

    assert found()[0] == ("entry", entry("d1").public_id)


@pytest.mark.parametrize("is_full", [True, False])
def test_a_forged_balance_is_named(unsealed: None, forge: Forge, is_full: bool) -> None:
    forge("UPDATE ledger_accountbalance SET credits = credits + 1 WHERE credits = 10")

    assert verify_ledger(is_full=is_full) == [
        Problem(
            "balance",
            "a",
            "debits 0 and credits 11 are kept, 0 and 10 were posted",
        )
    ]


@pytest.mark.parametrize("is_full", [True, False])
def test_a_forged_balance_of_sealed_books_is_named(
    sealed: None, forge: Forge, is_full: bool
) -> None:
    forge("UPDATE ledger_accountbalance SET debits = debits + 1 WHERE debits = 550")

    (problem,) = verify_ledger(is_full=is_full)

    assert (problem.check, problem.subject) == ("balance", "cash:EUR")
    assert problem.message == "debits 551 and credits 0 are kept, 550 and 0 were posted"


def test_a_forged_day_total_is_named(sealed: None, forge: Forge) -> None:
    forge("UPDATE ledger_daytotal SET credits = credits + 1 WHERE credits > 0")

    assert found() == [("day total", "a")]
    assert [problem.check for problem in verify_ledger()] == ["balance"]


def test_a_pending_total_without_its_hold_is_named(unsealed: None, forge: Forge) -> None:
    forge("UPDATE ledger_accountbalance SET pending_debits = 3 WHERE credits = 10")

    (problem,) = verify_ledger()

    assert (problem.check, problem.subject) == ("pending", "a")
    assert problem.message == "debits 3 and credits 0 are pending, open holds keep 0"


def test_a_broken_floor_is_named(unsealed: None, forge: Forge) -> None:
    post_entries([transfer("t1", wallet("a"), wallet("b"), 10)])
    forge("UPDATE ledger_posting SET amount = 11 WHERE entry_id = %s", entry("t1").pk)
    mend(forge)

    assert ("floor", "a") in found()


def test_a_change_that_balances_is_found_before_it_is_sealed(unsealed: None, forge: Forge) -> None:
    forge("UPDATE ledger_posting SET amount = 11 WHERE amount = 10")
    mend(forge)

    (problem,) = verify_ledger()

    assert (problem.check, problem.subject) == ("fingerprint", entry("d1").public_id)


def test_an_entry_that_was_moved_to_an_open_period_is_as_it_was_asked(
    unsealed: None, forge: Forge
) -> None:
    forge(
        "UPDATE ledger_journalentry SET late_from = effective_at,"
        " effective_at = effective_at + interval '9 days' WHERE idempotency_key = 'd1'"
    )

    assert verify_ledger() == []


def alter_amount(forge: Forge) -> tuple[str, str]:
    """And its fingerprint, so that the entry agrees with itself."""
    changed = entry("d5")
    lines = [("", "cash:EUR", "debit", 51), ("mer_1", "a", "credit", 51)]
    forged = fingerprint_of(changed.kind, changed.reference, NOON, lines)
    forge("UPDATE ledger_posting SET amount = 51 WHERE entry_id = %s", changed.pk)
    forge("UPDATE ledger_journalentry SET fingerprint = %s WHERE id = %s", forged, changed.pk)
    return changed.public_id, "It is not what was sealed."


def alter_reference(forge: Forge) -> tuple[str, str]:
    forge("UPDATE ledger_journalentry SET reference = 'mine' WHERE idempotency_key = 'd5'")
    return entry("d5").public_id, "It is not what was sealed."


def rename_account(forge: Forge) -> tuple[str, str]:
    forge("UPDATE ledger_account SET code = 'mine' WHERE code = 'a'")
    return entry("d1").public_id, "It is not what was sealed."


def delete_entry(forge: Forge) -> tuple[str, str]:
    gone = entry("d5").pk
    forge("DELETE FROM ledger_posting WHERE entry_id = %s", gone)
    forge("DELETE FROM ledger_journalentry WHERE id = %s", gone)
    return f"#{gone}", "An entry sealed there is gone."


def delete_last_of_block(forge: Forge) -> tuple[str, str]:
    gone = entry("d6").pk
    forge("DELETE FROM ledger_posting WHERE entry_id = %s", gone)
    forge("DELETE FROM ledger_journalentry WHERE id = %s", gone)
    return f"#{gone}", "An entry sealed there is gone."


def insert_into_gap(forge: Forge) -> tuple[str, str]:
    forge(INSERT_ENTRY, entry("d4").pk - 1)
    return "je_forged", "It was inserted after sealing."


def swap_two(forge: Forge) -> tuple[str, str]:
    """They exchange their ids, so that each still agrees with itself."""
    one, other = entry("d5"), entry("d8")
    for table, column in (("ledger_journalentry", "id"), ("ledger_posting", "entry_id")):
        for old, new in ((one.pk, 10**9), (other.pk, one.pk), (10**9, other.pk)):
            forge(f"UPDATE {table} SET {column} = %s WHERE {column} = %s", new, old)
    return other.public_id, "It is not what was sealed."


@pytest.mark.parametrize(
    "forgery",
    [
        alter_amount,
        alter_reference,
        rename_account,
        delete_entry,
        delete_last_of_block,
        insert_into_gap,
        swap_two,
    ],
)
def test_led_05_the_first_bad_entry_is_named(
    sealed: None, forge: Forge, forgery: Callable[[Forge], tuple[str, str]]
) -> None:
    subject, message = forgery(forge)
    mend(forge)

    problem = verify_ledger(is_full=True)[0]

    assert (problem.check, problem.subject) == ("seal", subject)
    assert problem.message.startswith(message)


def test_led_05_an_entry_inserted_at_the_end_is_named(sealed: None, forge: Forge) -> None:
    forge(INSERT_ENTRY, entry("d10").pk + 1)
    forge("UPDATE ledger_posting SET amount = 31 WHERE entry_id = %s", entry("d10").pk + 1)
    mend(forge)

    assert found() == [("fingerprint", "je_forged")]


def test_led_05_a_cut_off_end_contradicts_the_anchors(sealed: None, forge: Forge) -> None:
    last = Seal.objects.order_by("number").last()
    assert last is not None
    forge("DELETE FROM ledger_posting WHERE entry_id >= %s", last.first_entry_id)
    forge("DELETE FROM ledger_journalentry WHERE id >= %s", last.first_entry_id)
    forge("DELETE FROM ledger_seal WHERE number = %s", last.number)
    mend(forge)

    assert verify_ledger(is_full=True) == [
        Problem(
            "anchor",
            "seal 3",
            "It was anchored and is gone: the end of the ledger was cut off.",
        )
    ]


def test_led_05_a_chain_that_was_rewritten_contradicts_the_anchors(
    sealed: None, forge: Forge, settings: LazySettings, anchor_file: Path, tmp_path: Path
) -> None:
    alter_amount(forge)
    forge(MEND_BALANCES)
    forge("DELETE FROM ledger_daytotal")
    forge("DELETE FROM ledger_seal")
    settings.LEDGER_ANCHOR_FILE = str(tmp_path / "not-the-anchors.log")
    seal_entries()
    assert verify_ledger(is_full=True) == []

    settings.LEDGER_ANCHOR_FILE = str(anchor_file)

    # The first seal covers nothing that was changed.
    _, second, third = [json.loads(line)["hash"] for line in anchor_file.read_text().splitlines()]
    assert verify_ledger(is_full=True) == [
        Problem("anchor", "seal 2", f"It was anchored with another hash: {second}."),
        Problem("anchor", "seal 3", f"It was anchored with another hash: {third}."),
    ]


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
