"""LED-05: whoever rewrites history behind the triggers is found."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings

from ledger.entries import fingerprint_of
from ledger.models import Seal
from ledger.services.sealing import seal_entries
from ledger.services.verification import Problem, verify_ledger
from tests.support.entries import NOON
from tests.support.forgery import MEND_BALANCES, Forge, alter_reference, entry, found, mend

pytestmark = pytest.mark.django_db
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


def alter_amount(forge: Forge) -> tuple[str, str]:
    """And its fingerprint, so that the entry agrees with itself."""
    changed = entry("d5")
    lines = [("", "cash:EUR", "debit", 51), ("mer_1", "a", "credit", 51)]
    forged = fingerprint_of(changed.kind, changed.reference, NOON, lines)
    forge("UPDATE ledger_posting SET amount = 51 WHERE entry_id = %s", changed.pk)
    forge("UPDATE ledger_journalentry SET fingerprint = %s WHERE id = %s", forged, changed.pk)
    return changed.public_id, "It is not what was sealed."


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
    forge("DELETE FROM ledger_monthtotal")
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
