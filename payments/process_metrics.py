"""What the processes of this machine have counted, together.

With PROMETHEUS_MULTIPROC_DIR set, each process counts in files of its own in that folder, named by
its pid. What ended processes had counted is added up in one file for all of them, so that no total
ever falls and the folder stays small. Without it, a process knows only its own counts.
"""

import fcntl
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, REGISTRY, Metric, generate_latest
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

# Read by prometheus_client when it is imported; config/processes.py sets it.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
KEPT_TYPES = ("counter", "histogram", "summary")
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
ENDED = "ended"  # stands where the file of a process has its pid


def collect() -> list[Metric]:
    """Every metric that processes count themselves, added up."""
    folder = _folder()
    if folder is None:
        return list(REGISTRY.collect())
    with _alone_in(folder):
        _merge_ended(folder)
        counted = [str(path) for path in folder.glob("*.db") if _has_counted(path)]
        return list(MultiProcessCollector.merge(counted, accumulate=True))


def exposition(*more: Metric) -> bytes:
    """All of them, and more, in the text format 0.0.4 of Prometheus."""
    return generate_latest(_Metrics([*collect(), *more]))


@dataclass(frozen=True)
class _Metrics(Collector):
    metrics: list[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.metrics


def tidy() -> None:
    """The files of processes that have ended are one file; does nothing without a folder."""
    folder = _folder()
    if folder is not None:
        with _alone_in(folder):
            _merge_ended(folder)


def totals(name: str, label: str) -> dict[str, int]:
    """A counter's totals by the values of one of its labels."""
    found: dict[str, int] = defaultdict(int)
    for metric in collect():
        for sample in metric.samples:
            if sample.name == name:
                found[sample.labels[label]] += int(sample.value)
    return dict(found)


def _folder() -> Path | None:
    name = os.environ.get(FOLDER_VARIABLE)
    return Path(name) if name else None


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Nobody else reads or merges the files; who counts in them is not kept waiting."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _has_counted(path: Path) -> bool:
    """A file is empty for a moment when it is made, for good if its process died in that moment."""
    return path.stat().st_size > 0


def _merge_ended(folder: Path) -> None:
    ended = defaultdict(list)
    for path in folder.glob("*.db"):
        kind, _, process = path.stem.rpartition("_")
        if process.isdecimal() and not _is_alive(int(process)):
            ended[kind].append(path)
    for kind, paths in ended.items():
        if kind in KEPT_TYPES:
            _add_to(folder / f"{kind}_{ENDED}.db", filter(_has_counted, paths))
        for path in paths:
            path.unlink()


def _add_to(target: Path, paths: Iterable[Path]) -> None:
    """Replaced at once, so that a crash leaves the old file or the new one."""
    sums: dict[str, Any] = defaultdict(int)
    for path in [target, *paths] if target.exists() else paths:
        for key, value, _, _ in MmapedDict.read_all_values_from_file(str(path)):
            sums[key] += value
    draft = target.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    merged = MmapedDict(str(draft))
    for key, value in sums.items():
        merged.write_value(key, value, 0)
    merged.close()
    draft.replace(target)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
