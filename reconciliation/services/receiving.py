"""Files come in: their bytes are kept, once, before anybody reads them."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import BinaryIO

from django.db import connection, transaction
from django.utils import timezone

from ledger.actors import Actor
from ledger.services import audit
from ledger.states import move
from payments import doorbell, work
from reconciliation.errors import FileTooLarge
from reconciliation.models import Source, StatementFile, StatementFileChunk
from reconciliation.models.files import CHUNK_BYTES
from reconciliation.physical_lines import HEAD_BYTES
from reconciliation.services.empty_files import day_of_empty_file

FILE_SIZE_MAX = 400 * 2**20
LOAD_STATEMENTS = "reconciliation.tasks.load_statements"  # the task, which is also the bell
COPY_CHUNKS = (
    "COPY reconciliation_statementfilechunk (file_id, number, content) FROM STDIN (FORMAT BINARY)"
)


@dataclass(frozen=True, slots=True)
class Received:
    """A file that is kept. `is_known`: it was sent before, and nothing needs to be done."""

    file: StatementFile
    is_known: bool


@transaction.atomic
def receive_statement(
    source: Source,
    content: BinaryIO,
    *,
    name: str,
    channel: str,
    actor: Actor,
    remark: str = "",
    is_held: bool = False,
) -> Received:
    """Keep the bytes of a seekable file, for a worker or, `is_held`, for this process to load.

    The same bytes from one source are one file, however often and by whomever they are sent, but
    without a line in them one for each day that a name says. One that was refused is tried again,
    because the configuration may have changed. The remark stays in the audit trail. Raises
    FileTooLarge and ReasonTooLong, and then keeps nothing.
    """
    name = _as_data(name)
    digest, size = _digest_of(content, name)
    # The same bytes may be arriving by another way: then this waits until they are there.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0")
    new = StatementFile(
        source=source,
        name=name,
        sha256=digest,
        empty_day=day_of_empty_file(source, content, name=name, size=size),
        size=size,
        channel=channel,
        received_by=str(actor)[:120],
        received_at=timezone.now(),
    )
    _make_due(new, is_held=is_held)
    StatementFile.objects.bulk_create([new], ignore_conflicts=True)
    file = StatementFile.objects.select_related("source").get(
        source=source, sha256=digest, empty_day=new.empty_day
    )
    if file.public_id == new.public_id:
        _keep(file, content)
        told = {"name": name, "source": source.code, "sha256": digest, "size": size}
        audit.record(
            "statement_file.received", file.public_id, actor=actor, reason=remark, after=told
        )
    elif file.status != StatementFile.Status.REFUSED:
        return Received(file, is_known=True)
    else:
        try_again(file, actor=actor, reason=remark, is_held=is_held)
    if not is_held:
        transaction.on_commit(partial(doorbell.ring, LOAD_STATEMENTS))
    return Received(file, is_known=False)


@transaction.atomic
def try_again(
    file: StatementFile, *, actor: Actor, reason: str = "", is_held: bool = False
) -> None:
    """Have a refused file read once more; any other is left alone."""
    held = StatementFile.objects.select_for_update().get(pk=file.pk)
    if held.status == StatementFile.Status.REFUSED:
        audit.record(
            "statement_file.tried_again",
            held.public_id,
            actor=actor,
            reason=reason,
            before={"refusal_code": held.refusal_code, "refusal": held.refusal},
        )
        held.rejected.all().delete()
        move(held, StatementFile.Status.RECEIVED)
        held.refusal_code = held.refusal = ""
        held.rejected_count = held.attempts = held.deaths = held.failures = 0
        _make_due(held, is_held=is_held)
        held.save()
        if not is_held:
            transaction.on_commit(partial(doorbell.ring, LOAD_STATEMENTS))
    file.refresh_from_db()


@transaction.atomic
def take_over(file: StatementFile) -> None:
    """From now on this process reads the file, and whoever did finds another fence."""
    held = StatementFile.objects.select_for_update().get(pk=file.pk)
    if not held.is_final:
        held.status = StatementFile.Status.LOADING
        held.attempts += 1
        _make_due(held, is_held=True)
        held.save()
    file.refresh_from_db()


@contextmanager
def opened(file: StatementFile) -> Iterator[BinaryIO]:
    """The file's bytes on disk, to be read from the beginning; gone after the block."""
    with tempfile.TemporaryFile() as spool:
        for number in range(-(-file.size // CHUNK_BYTES)):
            chunk = StatementFileChunk.objects.get(file=file, number=number)
            spool.write(chunk.content)
        spool.seek(0)
        yield spool


def _make_due(file: StatementFile, *, is_held: bool) -> None:
    """Whoever had it before finds another fence."""
    now = timezone.now()
    file.due_at, file.fence = now, file.fence + 1
    file.holder = work.holder() if is_held else None
    file.leased_until = now + timedelta(seconds=work.LEASE_SECONDS) if is_held else None


def first_bytes(file: StatementFile) -> bytes:
    """Enough of the file to tell what it is."""
    chunk = StatementFileChunk.objects.filter(file=file, number=0).first()
    return bytes(chunk.content[:HEAD_BYTES]) if chunk else b""


def _digest_of(content: BinaryIO, name: str) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    content.seek(0)
    while piece := content.read(CHUNK_BYTES):
        digest.update(piece)
        size += len(piece)
        if size > FILE_SIZE_MAX:
            raise FileTooLarge(name, FILE_SIZE_MAX)
    return digest.hexdigest(), size


def _keep(file: StatementFile, content: BinaryIO) -> None:
    content.seek(0)
    digest, number = hashlib.sha256(), 0
    with connection.connection.cursor() as cursor, cursor.copy(COPY_CHUNKS) as copy:
        copy.set_types(["int8", "int4", "bytea"])
        while piece := content.read(CHUNK_BYTES):
            digest.update(piece)
            copy.write_row((file.pk, number, piece))
            number += 1
    # Somebody may still be writing it.
    if digest.hexdigest() != file.sha256:
        raise OSError(f"{file.name} changed while it was read.")


def _as_data(name: str) -> str:
    """The end of a name as text the database takes; a name is never a path here."""
    return name.encode("utf-8", "replace").decode().replace("\0", "?")[-255:] or "unnamed"
