"""One fault after the other, until the time is over: what `python -m tests.chaos` does."""

import argparse
import os
import platform
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos import judge
from tests.chaos.faults import COMPANIONS, FAULTS, fault_of
from tests.chaos.house import House
from tests.chaos.round import Round
from tests.chaos.traffic import Traffic

WARM_UP_SECONDS_MAX = 2  # of traffic alone, before and after
COUNTS = """
SELECT (SELECT count(*) FROM payments_payment), (SELECT count(*) FROM payments_refund),
    (SELECT count(*) FROM payments_transfer), (SELECT count(*) FROM ledger_journalentry),
    (SELECT count(*) FROM payments_event), (SELECT count(*) FROM ledger_seal),
    (SELECT count(*) FROM payments_payment WHERE deaths > 0),
    (SELECT count(*) FROM payments_payment WHERE attempts > 1)
"""
JUDGES = ("quiet in 60 s", "ten invariants", "clients", "house")


@dataclass
class Record:
    """All rounds of one fault."""

    rounds: int = 0
    slowest_seconds: float = 0.0
    requests: int = 0
    problems: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in JUDGES})

    @property
    def has_survived(self) -> bool:
        return not any(self.problems.values())


def main() -> int:
    """Play by the command line; 1 if anything was wrong."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    options = _options()
    names = options.faults.split(",") if options.faults else list(FAULTS)
    chance = random.Random(options.seed)
    records: dict[str, Record] = {}
    began_at = time.monotonic()
    _say(f"seed {options.seed}, {options.seconds} s, {len(names)} faults")
    house = House()
    try:
        house.seed()
        house.open()
        traffic = Traffic(house.base_url, seed=options.seed)
        _, unready = judge.wait_for_quiet(house)
        assert not unready, unready
        for name in _schedule(names, chance):
            if time.monotonic() - began_at > options.seconds and set(names) <= set(records):
                break
            record = records.setdefault(name, Record())
            _play(fault_of(name), Round(house, traffic, chance, options.pace), record)
            _say_round(name, record, time.monotonic() - began_at)
            if not record.has_survived and not options.go_on:
                break
        has_failed = _report(options.seed, house, traffic, records)
        if has_failed and options.keep_log:
            Path(options.keep_log).write_bytes((house.folder / "log").read_bytes())
    finally:
        house.close()
    return int(has_failed)


def _schedule(names: list[str], chance: random.Random) -> Iterator[str]:
    """Each fault once, in any order; then single faults and pairs for ever."""
    pairs = [f"{one}+{other}" for one in names for other in COMPANIONS.get(one, ())]
    while True:
        yield from chance.sample(names, len(names))
        yield from chance.sample(pairs, len(pairs))


def _play(fault: Callable[[Round], None], now: Round, record: Record) -> None:
    """One round: traffic, the fault, its healing, the rest after it, and the judgement."""
    asked_before = len(now.traffic.journal)
    now.traffic.start()
    time.sleep(min(WARM_UP_SECONDS_MAX, now.seconds / 3))
    try:
        fault(now)
    except Exception:
        record.problems["house"].append(traceback.format_exc())
    time.sleep(min(WARM_UP_SECONDS_MAX, now.seconds / 3))
    healed_at = time.monotonic()
    now.traffic.stop(seconds=judge.QUIET_WITHIN_SECONDS)
    _, left = judge.wait_for_quiet(now.house)
    record.rounds += 1
    record.slowest_seconds = max(record.slowest_seconds, time.monotonic() - healed_at)
    record.requests += len(now.traffic.journal) - asked_before
    record.problems["quiet in 60 s"] += left
    record.problems["ten invariants"] += judge.check_invariants(now.house)
    record.problems["clients"] += judge.check_clients(now.house, now.traffic)
    record.problems["house"] += judge.check_house(now.house)


def _report(seed: int, house: House, traffic: Traffic, records: dict[str, Record]) -> bool:
    """Print the table; whether anything was wrong."""
    has_failed = not all(record.has_survived for record in records.values())
    print(f"\n| fault | rounds | intents | at rest after | {' | '.join(JUDGES)} |")
    print("|---|--:|--:|--:|" + "---|" * len(JUDGES))
    for name, record in sorted(records.items()):
        verdicts = ["BROKEN" if record.problems[each] else "ok" for each in JUDGES]
        figures = f"{record.rounds} | {record.requests} | {record.slowest_seconds:.1f} s"
        print(f"| {name} | {figures} | {' | '.join(verdicts)} |")
    rounds = sum(record.rounds for record in records.values())
    (counts,) = house.query(COUNTS)
    print(
        f"\nseed {seed}: {rounds} rounds of {len(records)} faults; {len(traffic.journal)} intents"
        f" in {sum(intent.tries for intent in traffic.journal)} requests; {counts[0]} payments,"
        f" {counts[1]} refunds, {counts[2]} transfers, {counts[3]} entries, {counts[4]} events,"
        f" {counts[5]} seals. {counts[6]} payments outlived a worker that died with them in hand,"
        f" {counts[7]} were asked about more than once."
        f" {len(house.listener.got)} events were delivered"
        f" {house.listener.got.total()} times."
        f" {'BROKEN' if has_failed else 'Survived, all checks held.'}"
    )
    print(f"{os.cpu_count()} CPUs, {platform.machine()}, {platform.system()} {platform.release()}.")
    return has_failed


def _say_round(name: str, record: Record, seconds: float) -> None:
    state = "survived" if record.has_survived else "BROKEN"
    _say(f"{seconds:6.0f} s  {name}: {state}, at rest after {record.slowest_seconds:.1f} s")
    for judge_name, problems in record.problems.items():
        for problem in problems[:10]:
            _say(f"          {judge_name}: {problem}")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--faults", default="", help=f"some of: {', '.join(FAULTS)}; a+b: together")
    parser.add_argument("--pace", type=float, default=8, help="seconds a fault lasts, about")
    parser.add_argument("--go-on", action="store_true", help="even after something was wrong")
    parser.add_argument("--keep-log", default="", help="where the processes' log goes if it was")
    return parser.parse_args()


def _end(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)
