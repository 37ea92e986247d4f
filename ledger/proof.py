"""How the journal is hashed into seals, and the check of one entry's proof by anybody.

Nothing but the standard library, because this file alone is the verifier for outsiders:
`python proof.py proof.json [--anchors anchors.log]` (the proof is made by `manage.py prove_entry`).
Merkle trees and inclusion paths are those of RFC 6962, section 2.1, with SHA-256.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

VERSION = "tieout/1"
ENTRY_FIELDS = (
    *("id", "public_id", "idempotency_key", "kind", "reference"),
    *("effective_at", "late_from", "posted_at", "reverses_id", "reverses"),
)
POSTING_FIELDS = ("position", "owner", "code", "currency", "direction", "amount")
SEAL_FIELDS = (
    *("number", "first_entry_id", "last_entry_id", "entry_count"),
    *("merkle_root", "previous_hash", "horizon"),
)
# No bytes hashed for one purpose can be read as bytes hashed for another.
LEAF, NODE, SEAL, AUDIT_LEAF, AUDIT_SEAL = b"\x00", b"\x01", b"\x02", b"\x03", b"\x04"
ABSENT = b"\xff\xff\xff\xff"
NO_HASH = "00" * 32


def pack(fields: Iterable[str | int | None]) -> bytes:
    """Each field as UTF-8 behind its length, so that ("ab", "c") and ("a", "bc") differ."""
    parts = []
    for field in fields:
        if field is None:
            parts.append(ABSENT)
        else:
            text = str(field).encode()
            parts += (len(text).to_bytes(4, "big"), text)
    return b"".join(parts)


def entry_hash(entry: Sequence[Any], postings: Sequence[Sequence[Any]]) -> bytes:
    """The leaf of an entry: ENTRY_FIELDS and, for each posting in order, POSTING_FIELDS.

    Amounts are minor units, moments are UTC as 2026-03-02T12:00:00.000000Z.
    """
    if len(entry) != len(ENTRY_FIELDS) or any(len(p) != len(POSTING_FIELDS) for p in postings):
        raise ValueError("An entry is hashed whole.")
    fields = (VERSION, *entry, len(postings), *(field for line in postings for field in line))
    return hashlib.sha256(LEAF + pack(fields)).digest()


def seal_hash(seal: Mapping[str, Any], purpose: bytes = SEAL) -> str:
    """The hash of a seal's SEAL_FIELDS. It covers all seals before by `previous_hash`."""
    fields = pack((VERSION, *(seal[name] for name in SEAL_FIELDS)))
    return hashlib.sha256(purpose + fields).hexdigest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root over at least one leaf."""
    level = list(leaves)
    while len(level) > 1:
        level = _level_above(level)
    return level[0]


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The neighbours that lead from the leaf at `index` up to the root, lowest first."""
    path, level = [], list(leaves)
    while len(level) > 1:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        level, index = _level_above(level), index // 2
    return path


def root_by_path(leaf: bytes, index: int, count: int, path: Sequence[bytes]) -> bytes | None:
    """The root such a path leads to; None if a tree of `count` leaves has no such path."""
    if not 0 <= index < count:
        return None
    node, steps = leaf, list(path)
    while count > 1:
        if index ^ 1 < count:
            if not steps:
                return None
            neighbour = steps.pop(0)
            node = _parent(neighbour, node) if index % 2 else _parent(node, neighbour)
        index, count = index // 2, (count + 1) // 2
    return None if steps else node


def _level_above(level: list[bytes]) -> list[bytes]:
    # A node without a neighbour goes up as it is: RFC 6962 splits at the largest power of two.
    above = [_parent(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    return above + level[-1:] if len(level) % 2 else above


def _parent(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(NODE + left + right).digest()


class NotProved(Exception):
    """The proof does not show what it claims; says why."""


def check_proof(proof: Mapping[str, Any], anchors: Iterable[str] | None = None) -> list[str]:
    """What the proof shows, in sentences; raises NotProved.

    `anchors` are the lines of an anchor file. Their signatures are not checked, only who holds the
    key can: the reader trusts the copy he was given.
    """
    try:
        entry, seal = proof["entry"], proof["seal"]
        lines = [[_plain(line[name]) for name in POSTING_FIELDS] for line in entry["postings"]]
        leaf = entry_hash([_plain(entry[name]) for name in ENTRY_FIELDS], lines)
        path = [bytes.fromhex(node) for node in proof["path"]]
        root = root_by_path(leaf, proof["index"], seal["entry_count"], path)
        if root is None or root.hex() != seal["merkle_root"]:
            raise NotProved(f"Entry {entry['public_id']} is not under the root of its seal.")
        hashes = _chained([seal, *proof["later_seals"]])
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise NotProved(f"This is not a proof: {problem!r}") from problem
    newest = max(hashes)
    said = [
        f"Entry {entry['public_id']}, {entry['kind']} of {entry['reference']}, effective"
        f" {entry['effective_at']}, posted {entry['posted_at']}, amounts in minor units:",
        *(
            f"  {side:6} {amount} {unit} {code} {owner}"
            for _, owner, code, unit, side, amount in lines
        ),
        f"It is entry {proof['index'] + 1} of {seal['entry_count']} under seal {seal['number']},"
        f" hash {seal['hash']}.",
        f"{len(hashes) - 1} later seals lead to seal {newest}, hash {hashes[newest]}.",
    ]
    if anchors is None:
        return [*said, "No anchor was compared: compare that hash with one you trust."]
    return [*said, _anchored(hashes, anchors)]


def _plain(value: Any) -> str | int | None:
    if value is None or (isinstance(value, str | int) and not isinstance(value, bool)):
        return value
    raise ValueError(f"{value!r} is no text and no whole number")


def _chained(seals: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """The hash of each seal by its number, each recomputed and following from the one before."""
    for at, seal in enumerate(seals):
        if seal_hash({name: _plain(seal[name]) for name in SEAL_FIELDS}) != seal["hash"]:
            raise NotProved(f"Seal {seal['number']} does not have the hash it claims.")
        before = seals[at - 1]
        follows = (before["number"] + 1, before["hash"]) == (seal["number"], seal["previous_hash"])
        if at and not follows:
            raise NotProved(f"Seal {seal['number']} does not follow seal {before['number']}.")
    return {seal["number"]: seal["hash"] for seal in seals}


def _anchored(hashes: Mapping[int, str], anchors: Iterable[str]) -> str:
    confirmed = []
    for line in anchors:
        anchor = json.loads(line)
        number = anchor["number"]
        if number in hashes:
            if anchor["hash"] != hashes[number]:
                raise NotProved(f"Seal {number} was anchored with another hash: {anchor['hash']}.")
            confirmed.append(number)
    if not confirmed:
        raise NotProved(f"None of the seals {min(hashes)} to {max(hashes)} is anchored there.")
    return f"The anchors hold the same hash for seal {max(confirmed)}."


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check that a journal entry is what was sealed.")
    parser.add_argument("proof", help="file written by manage.py prove_entry")
    parser.add_argument("--anchors", help="your copy of the anchor file")
    options = parser.parse_args(arguments)
    try:
        with open(options.proof, encoding="utf-8") as file:
            proof = json.load(file)
        anchors = None
        if options.anchors:
            with open(options.anchors, encoding="utf-8") as file:
                anchors = file.read().splitlines()
        print("\n".join([*check_proof(proof, anchors), "PROVED."]))
    except (NotProved, OSError, ValueError, KeyError, TypeError) as problem:
        print(f"NOT PROVED. {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
