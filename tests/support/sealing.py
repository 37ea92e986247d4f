"""Entries to seal, and the file that seals are anchored in."""

import json
from pathlib import Path

from ledger.services.posting import post_entries
from tests.support.entries import deposit, wallet


def post(*keys: str) -> None:
    post_entries([deposit(key, wallet("a"), 10) for key in keys])


def anchored(file: Path) -> list[int]:
    return [json.loads(line)["number"] for line in file.read_text().splitlines()]
