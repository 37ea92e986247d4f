"""Anchors: what seals say, kept where nobody who can change the database can change it.

A line of JSON per seal in LEDGER_ANCHOR_FILE, for seals of the audit trail in the file `audit-…`
beside it, signed with a key made from SECRET_KEY. The newest also goes to the log and, if
LEDGER_ANCHOR_URL is set, is posted there.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

import httpx
from django.conf import settings
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from prometheus_client import Counter

from ledger.models import ChainedSeal
from ledger.seals import JOURNAL, Chain, moment_text

URL_TIMEOUT_SECONDS = 3
LINE_BYTES_MAX = 4_096
LINES_PER_LOOK = 1_000
# A seal is committed before it is anchored.
UNANCHORED_FOR_MAX = timedelta(minutes=1)

logger = logging.getLogger(__name__)
failures = Counter(
    "tieout_ledger_anchor_failures_total",
    "Times a seal could not be anchored outside the database, by where to.",
    ["target"],
)


def anchor_seals(chain: Chain, *, first_new: int | None = None) -> int:
    """Every seal after the last one in the chain's anchor file is in it too; how many were missing.

    A file that is missing or empty begins with the seal `first_new` (None: it stays so): whoever
    lost what was anchored before should hear of it from verify_ledger, and say 1 here to write it
    anew. Never raises for a file or an address that fails: it is logged and counted.
    """
    lines: list[str] = []
    count = 0
    try:
        for lines in _append_missing(chain, first_new):
            count += len(lines)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        failures.labels("file").inc()
        logger.error("ledger.anchor_file_failed: %s", problem)
        newest = chain.newest() if first_new else None
        lines = [_anchor(chain, newest)] if newest else []
    if lines:
        logger.info("ledger.anchored %s", lines[-1])
        _post(lines[-1])
    return count


def _append_missing(chain: Chain, first_new: int | None) -> Iterator[list[str]]:
    """Append the seals the file lacks; the lines of each batch that is on the disk."""
    path = chain.anchor_file
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # One process at a time, so that each line is there once and in order.
        fcntl.flock(file, fcntl.LOCK_EX)
        last = _last_number(file)
        first = first_new if last is None or first_new == 1 else last + 1
        if first is None:
            return
        missing = chain.seals._default_manager.defer("leaf_marks").filter(number__gte=first)
        seals = missing.order_by("number").iterator(chunk_size=LINES_PER_LOOK)
        while lines := [_anchor(chain, seal) for seal in islice(seals, LINES_PER_LOOK)]:
            _write_whole(file, "".join(f"{line}\n" for line in lines).encode())
            yield lines
    finally:
        os.close(file)


def _last_number(file: int) -> int | None:
    """The seal of the file's last line; a line that a crash cut short is taken off."""
    size = os.fstat(file).st_size
    tail = os.pread(file, LINE_BYTES_MAX, max(0, size - LINE_BYTES_MAX))
    whole, _, torn = tail.rpartition(b"\n")
    if torn:
        os.ftruncate(file, size - len(torn))
    if not whole:
        return None
    return int(json.loads(whole.rpartition(b"\n")[2])["number"])


def _write_whole(file: int, data: bytes) -> None:
    size = os.fstat(file).st_size
    if os.write(file, data) != len(data):
        os.ftruncate(file, size)
        raise OSError("the anchor file takes no more")
    os.fsync(file)


def _anchor(chain: Chain, seal: ChainedSeal) -> str:
    anchor: dict[str, Any] = {
        "chain": chain.name,
        "number": seal.number,
        "last_entry_id": seal.last_entry_id,
        "hash": bytes(seal.hash).hex(),
        "sealed_at": moment_text(seal.sealed_at),
    }
    return json.dumps(anchor | {"signature": _signature(anchor, settings.SECRET_KEY)})


def _signature(anchor: dict[str, Any], secret: str) -> str:
    text = json.dumps(anchor, sort_keys=True)
    return salted_hmac("ledger.anchor", text, secret=secret, algorithm="sha256").hexdigest()


def _post(line: str) -> None:
    if not settings.LEDGER_ANCHOR_URL:
        return
    headers = {"Content-Type": "application/json"}
    try:
        httpx.post(
            settings.LEDGER_ANCHOR_URL, content=line, headers=headers, timeout=URL_TIMEOUT_SECONDS
        ).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        failures.labels("url").inc()
        logger.warning("ledger.anchor_url_failed: %s", problem)


def contradictions(chain: Chain, head: ChainedSeal | None) -> Iterator[tuple[int | None, str]]:
    """Where the anchor file contradicts the seals: the seal's number, and what is wrong.

    Every seal up to `head` must be anchored, except for what was sealed just now.
    """
    path = chain.anchor_file
    anchored = 0
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            while lines := list(islice(file, LINES_PER_LOOK)):
                # A last line without an end is being written, or was cut short by a crash.
                anchors = [_read(chain, line) for line in lines if line.endswith("\n")]
                yield from _disagreements(chain, anchors)
                for anchor in anchors:
                    if anchor and anchor["number"] == anchored + 1:
                        anchored += 1
    except OSError as problem:
        if head is not None:
            yield None, f"The anchor file cannot be read: {problem}."
        return
    if head is not None and anchored < head.number:
        missing = (
            chain.seals._default_manager.defer("leaf_marks").filter(number=anchored + 1).first()
        )
        if missing is None or missing.sealed_at < timezone.now() - UNANCHORED_FOR_MAX:
            yield anchored + 1, f"It is not anchored in {path}."


def _read(chain: Chain, line: str) -> dict[str, Any] | None:
    """An anchor of the chain that we signed; None for anything else."""
    try:
        anchor = json.loads(line)
        signature = anchor.pop("signature")
        number, digest = anchor["number"], anchor["hash"]
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    if not isinstance(number, int) or not isinstance(digest, str):
        return None
    # Those of the journal did not always say it.
    if anchor.get("chain", JOURNAL.name) != chain.name:
        return None
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    is_ours = any(constant_time_compare(signature, _signature(anchor, key)) for key in secrets)
    return anchor if is_ours else None


def _disagreements(
    chain: Chain, anchors: Iterable[dict[str, Any] | None]
) -> Iterator[tuple[int | None, str]]:
    known = [anchor for anchor in anchors if anchor is not None]
    hashes = dict(
        chain.seals._default_manager.filter(
            number__in=[anchor["number"] for anchor in known]
        ).values_list("number", "hash")
    )
    if len(known) < len(list(anchors)):
        yield None, "The anchor file has a line that was not signed with our key."
    for anchor in known:
        number = anchor["number"]
        if number not in hashes:
            yield number, f"It was anchored and is gone: the end of the {chain.title} was cut off."
        elif bytes(hashes[number]).hex() != anchor["hash"]:
            yield number, f"It was anchored with another hash: {anchor['hash']}."
