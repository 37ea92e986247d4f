"""Reads what seals of the journal are made of: the hash of each entry as it is stored now."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from django.conf import settings
from django.db import models

from ledger import sql
from ledger.entries import fingerprint_of
from ledger.models import ChainedSeal, JournalEntry, Seal
from ledger.proof import ENTRY_FIELDS, NO_HASH, POSTING_FIELDS, SEAL, entry_hash

ENTRIES_PER_PAGE = 2_000
MARK_BYTES = 8


class Content(NamedTuple):
    """What a seal covers of one entry: values of ENTRY_FIELDS, and of POSTING_FIELDS each."""

    entry: tuple[Any, ...]
    postings: list[tuple[Any, ...]]
    fingerprint: bytes

    @property
    def id(self) -> int:
        return int(self.entry[0])

    @property
    def public_id(self) -> str:
        return str(self.entry[1])

    @property
    def hash(self) -> bytes:
        return entry_hash(self.entry, self.postings)

    @property
    def is_as_asked(self) -> bool:
        """It still gives the fingerprint it was posted with."""
        named = self.fields
        # An entry that was moved to an open period keeps the fingerprint of what was asked.
        effective_at = named["late_from"] or named["effective_at"]
        if effective_at is None or any(line["code"] is None for line in named["postings"]):
            return False
        lines = [
            (line["owner"], line["code"], line["direction"], line["amount"])
            for line in named["postings"]
        ]
        moment = datetime.fromisoformat(effective_at)
        return self.fingerprint == fingerprint_of(named["kind"], named["reference"], moment, lines)

    @property
    def fields(self) -> dict[str, Any]:
        """The same with names, as a proof shows it."""
        postings = [dict(zip(POSTING_FIELDS, line, strict=True)) for line in self.postings]
        return dict(zip(ENTRY_FIELDS, self.entry, strict=True)) | {"postings": postings}


class Leaf(Protocol):
    """What a seal covers of one record."""

    @property
    def id(self) -> int: ...
    @property
    def public_id(self) -> str: ...
    @property
    def hash(self) -> bytes: ...
    @property
    def is_as_asked(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Chain:
    """Records that are sealed in the order of their ids, and the seals of them.

    `contents` yields what is stored of the records with `after` < id <= `up_to`, by id.
    """

    name: str
    title: str
    records: type[models.Model]
    seals: type[ChainedSeal]
    contents: Callable[..., Iterator[Leaf]]
    purpose: bytes
    # Before the name of the anchor file, so that each chain has its own; before a record's number.
    anchors: str = ""
    noun: str = ""

    @property
    def sequence(self) -> str:
        """Where the ids of the records come from."""
        return f"{self.records._meta.db_table}_id_seq"

    @property
    def anchor_file(self) -> Path:
        file = Path(settings.LEDGER_ANCHOR_FILE)
        return file.with_name(self.anchors + file.name)

    def newest(self) -> ChainedSeal | None:
        return self.seals._default_manager.defer("leaf_marks").order_by("number").last()


class Link(NamedTuple):
    """The end of the chain so far: what the next seal must follow."""

    number: int = 0
    last_entry_id: int = 0  # ids begin with 1
    hash: str = NO_HASH


def link_of(seal: ChainedSeal | None) -> Link:
    """The chain up to this seal; without one: its beginning."""
    if seal is None:
        return Link()
    return Link(seal.number, seal.last_entry_id, bytes(seal.hash).hex())


def contents(*, after: int, up_to: int) -> Iterator[Content]:
    """Entries with `after` < id <= `up_to` by id, a page of them in memory at a time."""
    while True:
        entries = sql.rows(
            "ledger", "read_sealed_entries", after=after, up_to=up_to, count=ENTRIES_PER_PAGE
        )
        if not entries:
            return
        last = entries[-1].id
        postings: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for row in sql.rows("ledger", "read_sealed_postings", after=after, up_to=last):
            postings[row.entry_id].append(row[1:])
        for entry in entries:
            yield Content(entry[:-1], postings[entry.id], bytes(entry.fingerprint))
        after = last


def seal_fields(seal: ChainedSeal) -> dict[str, Any]:
    """SEAL_FIELDS of the seal and its `hash`, as they are hashed and shown."""
    return {
        "number": seal.number,
        "first_entry_id": seal.first_entry_id,
        "last_entry_id": seal.last_entry_id,
        "entry_count": seal.entry_count,
        "merkle_root": bytes(seal.merkle_root).hex(),
        "previous_hash": bytes(seal.previous_hash).hex(),
        "horizon": moment_text(seal.horizon),
        "hash": bytes(seal.hash).hex(),
    }


def moment_text(moment: datetime) -> str:
    """UTC with microseconds, as the statements beside write it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


JOURNAL = Chain("ledger", "ledger", JournalEntry, Seal, contents, SEAL)
