"""A file received and loaded on the spot, for whoever waits for the answer."""

import time
from typing import BinaryIO

from ledger.actors import Actor
from reconciliation.errors import FileNotLoaded, FileRefused
from reconciliation.models import Source, StatementFile
from reconciliation.services.loading import Progress, load_now
from reconciliation.services.receiving import receive_statement

WAIT_SECONDS = 1
Channel = StatementFile.Channel


def import_statement(
    source: Source,
    content: BinaryIO,
    *,
    name: str,
    actor: Actor,
    channel: str = Channel.COMMAND,
    on_progress: Progress = lambda file: None,
) -> tuple[StatementFile, bool]:
    """Load a file now; returns it and whether somebody else loaded it: then this changed nothing.

    An archive is loaded with all that is in it. Lines that cannot be read are kept as rejected
    lines with their reason; lines earlier files brought are recognised. Raises FileTooLarge, with
    nothing kept; FileRefused, with nothing visible, if the file as a whole is not what the source
    may send; and FileNotLoaded if that could not be found out.
    """
    received = receive_statement(
        source, content, name=name, channel=channel, actor=actor, is_held=True
    )
    file = received.file
    did_it = _finish(file, on_progress)
    for member in file.members.select_related("file__source"):
        if not member.file.is_final:
            _finish(member.file, on_progress)
    if file.status == StatementFile.Status.REFUSED:
        raise FileRefused(file.name, file.refusal_code, file.refusal)
    return file, not did_it


def _finish(file: StatementFile, on_progress: Progress) -> bool:
    """The file is loaded or refused when this returns; whether it was this process that did it."""
    is_ours = False
    while not file.is_final and not is_ours:
        is_ours = load_now(file, on_progress=on_progress)
        if not is_ours:
            time.sleep(WAIT_SECONDS)
            file.refresh_from_db()
            on_progress(file)
    if not file.is_final:
        raise FileNotLoaded(file.name, file.problem)
    return is_ours
