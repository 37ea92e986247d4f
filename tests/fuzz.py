"""`make fuzz`: mutate the fixtures of every importer for a while; only typed refusals may come.

`python -m tests.fuzz --seconds 60 --seed 7 [format …]`: seconds are per format. Prints the seed, so
that a find can be made again; a find is written to a file.
"""

import argparse
import contextlib
import io
import os
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from reconciliation.importers import FORMATS, ImportRefused, ParsedLine, recognise
from tests.reconciliation.importers import (
    camt_messages,
    mt940_messages,
    test_adyen,
    test_bai2,
    test_hostile,
)
from tests.reconciliation.importers.processor_reports import SAMPLES
from tests.reconciliation.importers.test_csv_mapping import FIXTURE, FIXTURE_MAPPING

SECONDS_PER_FILE_MAX = 2
TOKENS = (
    *(b"\0", b'"', b"\xff", b",", b";", b"\n", b"\r", b"<", b">", b"/", b":", b"-"),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"9" * 30, b"-0", b"1e9", b"NaN", b"\xe2\x88\x92"),
    *(b"\xd9\xa1", b":62F:", b"16,", b"88,", b"<!DOCTYPE", b"]]>", b"&lt;", b"&#0;", b"XXX"),
)


def _fixtures() -> dict[str, bytes]:
    camt = camt_messages.document(camt_messages.FRAME + camt_messages.entry() * 3)
    swift = mt940_messages.message(
        mt940_messages.ENTRY, ":86:166?00X?20EREF+E1 SVWZ+text?32Name", mt940_messages.ENTRY
    )
    adyen = [test_adyen.SETTLED, test_adyen.PAYOUT]
    return SAMPLES | {
        "stripe.payout_reconciliation": b"\n".join(
            [test_hostile.STRIPE_NAMES, *[test_hostile.STRIPE_ROW] * 3]
        ),
        "adyen.settlement_detail": "\n".join(
            ",".join(row) for row in (adyen[0], *(each.values() for each in adyen))
        ).encode(),
        "camt.053": camt,
        "camt.052": camt.replace(b"BkToCstmrStmt", b"BkToCstmrAcctRpt").replace(b"Stmt>", b"Rpt>"),
        "camt.054": camt.replace(b"BkToCstmrStmt", b"BkToCstmrDbtCdtNtfctn").replace(
            b"Stmt>", b"Ntfctn>"
        ),
        "mt940": swift + swift,
        "mt942": mt940_messages.report(mt940_messages.ENTRY, ":90C:1EUR12,34"),
        "bai2": test_bai2.document(test_bai2.DETAIL, "88,MORE TEXT", test_bai2.DETAIL),
        "csv": FIXTURE,
    }


def _flip(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def _insert(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(TOKENS) + data[at:]


def _delete(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.randrange(1, 40) :]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    first, last = sorted((chance.randrange(len(data)), chance.randrange(len(data))))
    return data[:last] + data[first:last] * chance.randrange(1, 4) + data[last:]


def _swap_lines(data: bytes, chance: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(1, len(data) + 1)]


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_flip, _insert, _insert, _delete, _repeat, _swap_lines, _cut),
)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The data after one to six mutations."""
    for _ in range(chance.randrange(1, 7)):
        if data:
            data = chance.choice(MUTATIONS)(data, chance)
    return data


def _check(code: str, data: bytes) -> None:
    options = FIXTURE_MAPPING if code == "csv" else {}
    with contextlib.suppress(ImportRefused):
        for record in FORMATS[code](io.BytesIO(data), options):
            if isinstance(record, ParsedLine) and record.gross - record.fee != record.net:
                raise AssertionError(f"{record} does not add up")
    with contextlib.suppress(ImportRefused):
        recognise(io.BytesIO(data))


def fuzz(code: str, data: bytes, *, seconds: float, chance: random.Random) -> tuple[int, float]:
    """How many files were tried, and how long the slowest took. Raises SystemExit at a find."""
    tried, slowest, end = 0, 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        candidate = mutated(data, chance)
        started = time.monotonic()
        try:
            _check(code, candidate)
        except Exception as find:
            _give_up(code, candidate, "".join(traceback.format_exception(find)))
        took = time.monotonic() - started
        if took > SECONDS_PER_FILE_MAX:
            _give_up(code, candidate, f"It took {took:.1f} s.")
        tried, slowest = tried + 1, max(slowest, took)
    return tried, slowest


def _give_up(code: str, data: bytes, why: str) -> None:
    with tempfile.NamedTemporaryFile(prefix=f"fuzz-{code}-", delete=False) as file:
        file.write(data)
    raise SystemExit(f"{why}\n{code}: the file is {file.name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", help=f"of: {', '.join(FORMATS)}")
    parser.add_argument("--seconds", type=float, default=60, help="per format")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    fixtures = _fixtures()
    if missing := FORMATS.keys() - fixtures.keys():
        sys.exit(f"No fixture of {', '.join(sorted(missing))} in {Path(__file__).name}.")
    print(f"seed {options.seed}")
    for code in options.formats or FORMATS:
        chance = random.Random(f"{options.seed} {code}")
        tried, slowest = fuzz(code, fixtures[code], seconds=options.seconds, chance=chance)
        print(f"{code:<32} {tried:>9,} files, slowest {slowest * 1000:.0f} ms", flush=True)


if __name__ == "__main__":
    main()
