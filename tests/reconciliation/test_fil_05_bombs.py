"""FIL-05: a small archive that would become 4 GB is refused before it has become much."""

import io
import json
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from config.embedded.places import CHECKOUT
from reconciliation.errors import FileRefused
from reconciliation.models import StatementFile, StatementLine
from reconciliation.services.imports import import_statement
from tests.factories import GatewayFactory
from tests.support.reports import ACTOR, define_sources

MB = 2**20
KERNEL_BYTES = 43 * MB  # what 42 kB of deflated zeros are
# Run in a process of its own: the highest water mark of memory never falls again.
UNPACK = """
import json, resource, sys
from reconciliation.archives import unpack
from reconciliation.importers.records import ImportRefused

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

before, code = peak(), ""
try:
    with open(sys.argv[1], "rb") as file:
        for member in unpack(file, name="it"):
            member.content.close()
except ImportRefused as refusal:
    code = refusal.code
print(json.dumps({"code": code, "grown_mb": peak() - before}))
"""


def overlapping(entries: int) -> bytes:
    """Every entry of the directory is the same 42 kB: 43 MB each, 4 GB with 96 of them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("a.xml", bytes(KERNEL_BYTES))
        archive.filelist += archive.filelist * (entries - 1)
    return out.getvalue()


def endless() -> bytes:
    """A gzip of 4 GB that is 4 MB, as deflate's best is a thousandth."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    piece = deflate.compress(bytes(16 * MB)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + piece * 256


BOMBS = {
    "4 GB in a directory of 96": (overlapping(96), "too_many_members"),
    "860 MB in a directory of 20": (overlapping(20), "archive_too_large"),
    "43 MB in one member": (overlapping(1), "archive_too_large"),
    "4 GB of gzip": (endless(), "archive_too_large"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_fil_05_bomb_is_refused_in_little_memory(name: str, tmp_path: Path) -> None:
    content, code = BOMBS[name]
    bomb = tmp_path / "bomb"
    bomb.write_bytes(content)

    done = subprocess.run(
        [sys.executable, "-c", UNPACK, str(bomb)],
        capture_output=True,
        text=True,
        check=True,
        cwd=CHECKOUT,
    )

    found = json.loads(done.stdout)
    assert found["code"] == code
    assert found["grown_mb"] <= 50


@pytest.mark.django_db
@pytest.mark.parametrize("name", BOMBS)
def test_fil_05_bomb_leaves_nothing_but_itself(name: str) -> None:
    content, code = BOMBS[name]
    GatewayFactory()
    _, bank = define_sources()

    with pytest.raises(FileRefused, match=code):
        import_statement(bank, io.BytesIO(content), name="it", actor=ACTOR)

    assert StatementFile.objects.get().size == len(content)
    assert not StatementLine.objects.exists()
