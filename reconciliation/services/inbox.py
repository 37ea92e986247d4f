"""The inbox folder: whoever can write a file there needs no key and no program.

`<inbox>/<code of the source>/<file>` is loaded and then moved to `done/` or `refused/` beside it,
refused ones with a text that says why. A file stays where it is until that is decided: whoever is
killed in between finds it again, and finds that it was loaded.
"""

import itertools
import logging
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from ledger.actors import Actor
from ledger.errors import DomainError
from reconciliation.errors import FileNotLoaded
from reconciliation.locks import only_one_at_the_inbox
from reconciliation.models import Source, StatementFile
from reconciliation.services.imports import import_statement

logger = logging.getLogger(__name__)

# A file that changed later than this may still be written.
QUIET_SECONDS = 5
NAME_BYTES_MAX = 150
UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload")
ACTOR = Actor.system("inbox")


@dataclass(frozen=True, slots=True)
class PickedUp:
    """What became of one file. `reason` is empty unless it was refused."""

    path: Path
    reason: str = ""


def pick_up_statements() -> list[PickedUp]:
    """Load every finished file of the inbox and move it away; returns what became of each.

    Does nothing without STATEMENT_INBOX, and while another process is at it.
    """
    if not settings.STATEMENT_INBOX:
        return []
    with only_one_at_the_inbox() as is_ours:
        if not is_ours:
            return []
        return [
            picked
            for source, path in _waiting(Path(settings.STATEMENT_INBOX))
            if (picked := _pick_up(source, path)) is not None
        ]


def _waiting(inbox: Path) -> Iterator[tuple[Source, Path]]:
    for folder in sorted(path for path in inbox.iterdir() if path.is_dir()):
        source = Source.objects.filter(code=folder.name).first()
        if source is None:
            logger.warning("inbox.unknown_source: nothing is read from %s", folder)
            continue
        for path in sorted(folder.iterdir()):
            is_folder = path.is_dir() and not path.is_symlink()
            if not is_folder and not path.name.startswith(".") and path.suffix not in UNFINISHED:
                yield source, path


def _pick_up(source: Source, path: Path) -> PickedUp | None:
    """None: it is not finished, or gone, or nobody can say yet what it is."""
    try:
        # Neither follows a link nor waits for somebody at the other end of a pipe.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as problem:
        return _refuse(path, f"It cannot be opened: {problem.strerror}.")
    with os.fdopen(handle, "rb") as content:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return _refuse(path, "It is no ordinary file.")
        # Unlike the time of the content, nobody can set this one.
        if time.time() - status.st_ctime < QUIET_SECONDS:
            return None
        return _load(source, path, content)


def _load(source: Source, path: Path, content: BinaryIO) -> PickedUp | None:
    channel = StatementFile.Channel.INBOX
    try:
        import_statement(source, content, name=path.name, actor=ACTOR, channel=channel)
    except FileNotLoaded as problem:
        logger.warning("inbox.not_loaded: %s", problem)
        return None
    except OSError as problem:  # it changed while it was read
        logger.warning("inbox.changed: %s", problem)
        return None
    except DomainError as refusal:
        return _refuse(path, refusal.message)
    target = _target(path, "done")
    path.rename(target)
    return PickedUp(target)


def _refuse(path: Path, reason: str) -> PickedUp:
    target = _target(path, "refused")
    # The reason first: a refused file without one would puzzle whoever finds it.
    beside = target.with_name(f"{target.name}.reason.txt")
    beside.write_text(f"{reason}\n", encoding="utf-8", errors="replace")
    logger.warning("inbox.refused: %s: %s", path, reason)
    path.rename(target)
    return PickedUp(target, reason)


def _target(path: Path, folder: str) -> Path:
    """Where it goes: under its name and the time it was written, which keep files apart."""
    target = path.parent / folder
    target.mkdir(exist_ok=True)
    written_at = path.lstat().st_mtime_ns
    name = os.fsdecode(os.fsencode(path.name)[-NAME_BYTES_MAX:])
    places = (target / f"{written_at + n}_{name}" for n in itertools.count())
    return next(place for place in places if not os.path.lexists(place))
