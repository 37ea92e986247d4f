"""Archives opened without trusting them (reliability.md R5.1).

ZIP (stored and deflated) and gzip. Bytes are counted while they are inflated; what the archive says
of itself is believed in nothing.
"""

import gzip
import io
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, BinaryIO, cast

from reconciliation.importers.records import ImportRefused

MEMBERS_MAX = 20
UNPACKED_MAX = 2**30
RATIO_MAX = 100
RATIO_FREE_BYTES = 100_000  # small files may be as empty as they like
DIRECTORY_BYTES_MAX = 64 * 1024
PIECE_BYTES = 64 * 1024

_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP_START = b"\x1f\x8b"
_ARCHIVE_STARTS = (
    *_ZIP_STARTS,
    *(_GZIP_START, b"7z\xbc\xaf\x27\x1c", b"Rar!", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"),
)
_PROGRAM_STARTS = (b"MZ", b"\x7fELF", b"#!")
# The record at the end of a ZIP: signature, disks, entries here and in all, size and place of the
# directory, length of the comment (APPNOTE.TXT 4.3.16). The mark of a ZIP64 stands right before it.
_END = struct.Struct("<4s4H2LH")
_ZIP64_MARK, _ZIP64_MARK_BYTES = b"PK\x06\x07", 20


@dataclass(frozen=True, slots=True)
class Member:
    """A file out of an archive, on disk until it is closed."""

    name: str
    content: BinaryIO


def archive_format(file: BinaryIO) -> str:
    """`zip`, `gzip`, or "" for what is no archive."""
    file.seek(0)
    head = file.read(4)
    file.seek(0)
    if head in _ZIP_STARTS:
        return "zip"
    return "gzip" if head.startswith(_GZIP_START) else ""


def unpack(file: BinaryIO, *, name: str) -> Iterator[Member]:
    """The files of an archive, one after the other. Refuses what is no plain archive of files."""
    budget = _Budget(file)
    try:
        if archive_format(file) == "zip":
            yield from _unpack_zip(file, budget)
        else:
            with gzip.GzipFile(fileobj=file) as stream:
                inside = name[:-3] if name.lower().endswith(".gz") else name
                yield _inflate(cast("IO[bytes]", stream), inside, budget)
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ImportRefused("malformed_archive", str(error)) from error
    except (
        NotImplementedError,
        RuntimeError,
    ) as error:  # a method or a lock zipfile knows nothing of
        raise ImportRefused("unsupported_archive", str(error)) from error


class _Budget:
    """How much may still come out of an archive."""

    def __init__(self, file: BinaryIO) -> None:
        self._unpacked = 0
        self._allowed = min(RATIO_FREE_BYTES + RATIO_MAX * file.seek(0, io.SEEK_END), UNPACKED_MAX)
        file.seek(0)

    def spend(self, count: int) -> None:
        self._unpacked += count
        if self._unpacked > self._allowed:
            raise ImportRefused(
                "archive_too_large",
                f"more than {RATIO_MAX} times its size, or than {UNPACKED_MAX // 2**20} MB, comes"
                " out of it",
            )


def _unpack_zip(file: BinaryIO, budget: _Budget) -> Iterator[Member]:
    _check_directory(file)
    with zipfile.ZipFile(file) as archive:
        members = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(members) > MEMBERS_MAX:
            raise ImportRefused("too_many_members", f"{len(members)} files in one archive")
        for entry in members:
            _check_entry(entry)
        for entry in members:
            with archive.open(entry) as stream:
                yield _inflate(stream, entry.filename, budget)


def _check_directory(file: BinaryIO) -> None:
    """Look at the end record first: zipfile would read a directory of any size into memory."""
    size = file.seek(0, io.SEEK_END)
    tail_bytes = min(size, _END.size + _ZIP64_MARK_BYTES + 2**16)
    file.seek(size - tail_bytes)
    tail = file.read()
    place = len(tail) - _END.size
    if place < 0 or tail[place : place + 4] != b"PK\x05\x06" or tail[-2:] != b"\0\0":
        place = tail.rfind(b"PK\x05\x06")
    if place < 0 or place + _END.size > len(tail):
        raise ImportRefused("malformed_archive", "the ZIP has no end")
    directory_bytes = _END.unpack_from(tail, place)[5]
    mark = tail[max(place - _ZIP64_MARK_BYTES, 0) :][:4]
    if directory_bytes > DIRECTORY_BYTES_MAX or mark == _ZIP64_MARK:
        raise ImportRefused("too_many_members", "the directory of the ZIP is too large")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name:
        raise ImportRefused("unsafe_name", f"{name[:80]!r} leads out of the archive")
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise ImportRefused("unsafe_member", f"{name[:80]!r} is no ordinary file")
    if entry.flag_bits & 0x1:
        raise ImportRefused("encrypted_archive", f"{name[:80]!r} is encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ImportRefused("unsupported_archive", f"{name[:80]!r} is neither stored nor deflated")


def _inflate(stream: IO[bytes], name: str, budget: _Budget) -> Member:
    content = tempfile.TemporaryFile()  # noqa: SIM115
    try:
        while piece := stream.read(PIECE_BYTES):
            if not content.tell():
                _check_beginning(piece, name)
            budget.spend(len(piece))
            content.write(piece)
    except BaseException:
        content.close()
        raise
    content.seek(0)
    return Member(name, content)


def _check_beginning(piece: bytes, name: str) -> None:
    if piece.startswith(_ARCHIVE_STARTS):
        raise ImportRefused("nested_archive", f"{name[:80]!r} is an archive itself")
    if piece.startswith(_PROGRAM_STARTS):
        raise ImportRefused("unsafe_member", f"{name[:80]!r} is a program")
