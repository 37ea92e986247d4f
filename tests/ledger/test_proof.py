"""One entry's proof: made by us, checked by anybody with nothing but the file that checks it."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config.embedded.places import CHECKOUT
from ledger import proof
from ledger.models import JournalEntry
from ledger.services.posting import post_entries
from ledger.services.proofs import prove_entry
from ledger.services.sealing import seal_entries
from tests.support.entries import deposit, wallet

PATIENCE_SECONDS = 30
# The leaves and roots that implementations of RFC 6962 are commonly tested with.
RFC_LEAVES = [
    *("", "00", "10", "2021", "3031", "40414243"),
    *("5051525354555657", "606162636465666768696a6b6c6d6e6f"),
]
RFC_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def leaves(count: int) -> list[bytes]:
    return [hashlib.sha256(b"\x00" + bytes.fromhex(text)).digest() for text in RFC_LEAVES[:count]]


@pytest.mark.parametrize("count", range(1, 9))
def test_merkle_roots_are_those_of_rfc_6962(count: int) -> None:
    assert proof.merkle_root(leaves(count)).hex() == RFC_ROOTS[count - 1]


@pytest.mark.parametrize("count", range(1, 9))
def test_every_leaf_leads_to_the_root_and_nowhere_else_in_the_tree(count: int) -> None:
    tree = leaves(count)
    root = proof.merkle_root(tree)

    for index, leaf in enumerate(tree):
        path = proof.inclusion_path(tree, index)
        assert proof.root_by_path(leaf, index, count, path) == root
        assert proof.root_by_path(leaf, index, count, [*path, root]) is None
        assert proof.root_by_path(leaf, count, count, path) is None
        for other in set(range(count)) - {index}:
            assert proof.root_by_path(leaf, other, count, path) != root


def test_bytes_that_move_over_a_border_of_fields_change_the_hash() -> None:
    entry = [1, "je_1", "ab", "c", "ref", "2026", None, "2026", None, None]
    moved = [1, "je_1", "a", "bc", "ref", "2026", None, "2026", None, None]
    nothing = [1, "je_1", "ab", "c", "ref", "2026", "", "2026", None, None]

    hashes = {proof.entry_hash(fields, []) for fields in (entry, moved, nothing)}

    assert len(hashes) == 3


def test_an_entry_with_a_field_too_few_has_no_hash() -> None:
    with pytest.raises(ValueError, match="whole"):
        proof.entry_hash([1, "je_1"], [])


@pytest.fixture
def proved(db: None) -> dict[str, Any]:
    """The proof of the third of five entries, with two seals after its own."""
    post_entries([deposit(f"d{n}", wallet("a"), 10 * n) for n in range(1, 6)])
    seal_entries()
    for key in ("d6", "d7"):
        post_entries([deposit(key, wallet("b"), 7)])
        seal_entries()
    return prove_entry(JournalEntry.objects.get(idempotency_key="d3").public_id)


Check = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def check(tmp_path: Path, anchor_file: Path) -> Check:
    """Run the verifier alone, in a Python that has no other module than its own."""

    def run(shown: dict[str, Any], *options: str) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "proof.json"
        file.write_text(json.dumps(shown))
        return subprocess.run(
            [sys.executable, "-I", "-S", CHECKOUT / "ledger" / "proof.py", file, *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )

    return run


def test_an_outsider_checks_the_proof_without_any_of_our_code(
    proved: dict[str, Any], check: Check, anchor_file: Path
) -> None:
    done = check(proved, "--anchors", str(anchor_file))

    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()
    assert said[0].startswith(f"Entry {proved['entry']['public_id']}, deposit of ref-d3, effective")
    assert said[1] == "  debit  30 EUR cash:EUR "
    assert said[2] == "  credit 30 EUR a mer_1"
    assert said[3].startswith("It is entry 3 of 5 under seal 1, hash ")
    assert said[4].startswith("2 later seals lead to seal 3, hash ")
    assert said[5:] == ["The anchors hold the same hash for seal 3.", "PROVED."]


def test_without_anchors_it_says_what_is_left_to_compare(
    proved: dict[str, Any], check: Check
) -> None:
    done = check(proved)

    assert done.returncode == 0
    assert "No anchor was compared" in done.stdout


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (["entry", "reference"], "ref-d4", "is not under the root of its seal"),
        (["entry", "postings", 0, "amount"], 31, "is not under the root of its seal"),
        (["entry", "postings", 0, "amount"], 3.5, "is not a proof"),
        (["entry", "postings"], [], "is not under the root of its seal"),
        (["index"], 3, "is not under the root of its seal"),
        (["path"], [], "is not under the root of its seal"),
        (["seal", "entry_count"], 6, "Seal 1 does not have the hash it claims"),
        (["seal", "horizon"], "2026", "Seal 1 does not have the hash it claims"),
        (["later_seals", 0, "last_entry_id"], 99, "Seal 2 does not have the hash it claims"),
        (["later_seals", 0], None, "is not a proof"),
        (["seal"], {}, "is not a proof"),
    ],
)
def test_a_proof_that_was_tampered_with_proves_nothing(
    proved: dict[str, Any], check: Check, path: list[Any], value: Any, reason: str
) -> None:
    place: Any = proved
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    done = check(proved)

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("NOT PROVED. ")
    assert reason in done.stdout


def test_a_seal_left_out_breaks_the_chain(proved: dict[str, Any], check: Check) -> None:
    del proved["later_seals"][0]

    assert "Seal 3 does not follow seal 1" in check(proved).stdout


def test_an_anchor_that_says_otherwise_refutes_the_proof(
    proved: dict[str, Any], check: Check, anchor_file: Path
) -> None:
    forged = json.loads(anchor_file.read_text().splitlines()[1]) | {"hash": "00" * 32}
    anchor_file.write_text(f"{json.dumps(forged)}\n")

    done = check(proved, "--anchors", str(anchor_file))

    assert done.returncode == 1
    assert "Seal 2 was anchored with another hash" in done.stdout


def test_anchors_of_other_seals_prove_nothing(
    proved: dict[str, Any], check: Check, anchor_file: Path
) -> None:
    anchor_file.write_text("")

    done = check(proved, "--anchors", str(anchor_file))

    assert done.returncode == 1
    assert "None of the seals 1 to 3 is anchored there" in done.stdout


def test_the_command_writes_what_the_verifier_reads(proved: dict[str, Any], tmp_path: Path) -> None:
    file, public_id = tmp_path / "proof.json", proved["entry"]["public_id"]
    printed = StringIO()

    call_command("prove_entry", public_id, "-o", str(file), stdout=StringIO())
    call_command("prove_entry", public_id, stdout=printed)

    assert json.loads(file.read_text()) == json.loads(printed.getvalue()) == proved


@pytest.mark.django_db
def test_an_entry_that_is_not_sealed_has_no_proof_yet() -> None:
    post_entries([deposit("d1", wallet("a"), 10)])
    entry = JournalEntry.objects.get()

    with pytest.raises(CommandError, match="is not sealed yet"):
        call_command("prove_entry", entry.public_id)
    with pytest.raises(CommandError, match="no such journal entry"):
        call_command("prove_entry", "je_unknown")
