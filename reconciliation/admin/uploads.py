"""A file that somebody looks at before it is sent: kept aside for an hour, under a signed name."""

import os
import stat
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from django import forms
from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from ledger.services.audit import REASON_LENGTH_MAX
from reconciliation.models import Source

KEPT_SECONDS = 3600
SALT = "statement file set aside"
PIECE_BYTES = 1 << 20


class UploadForm(forms.Form):
    source = forms.ModelChoiceField(Source.objects.all(), widget=UnfoldAdminSelectWidget)
    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget,
        help_text="A statement or report, or a ZIP or gzip of some.",
    )
    remark = forms.CharField(
        required=False,
        max_length=REASON_LENGTH_MAX,
        widget=UnfoldAdminTextInputWidget,
        help_text="Where it came from, or why you send it; it stays in the audit trail.",
    )


@dataclass(frozen=True, slots=True)
class SetAside:
    """Bytes on this machine's disk that one person may send within the hour."""

    path: Path
    source_id: int
    name: str
    remark: str

    def open(self) -> BinaryIO:
        """Raises OSError once they are gone."""
        return cast(BinaryIO, self.path.open("rb"))


def set_aside(upload: UploadedFile, source: Source, *, remark: str, user_id: int) -> str:
    """Keep the upload, and return the token that only this person can send it by."""
    folder = _folder()
    _forget_old(folder)
    handle, path = tempfile.mkstemp(dir=folder, prefix=f"{user_id}-")
    with os.fdopen(handle, "wb") as file:
        for piece in upload.chunks(PIECE_BYTES):
            file.write(piece)
    told = [user_id, source.pk, upload.name or "", remark, Path(path).name]
    return signing.dumps(told, salt=SALT, compress=True)


def find_set_aside(token: str, *, user_id: int) -> SetAside | None:
    """None if it is not this person's, too old, or on another machine."""
    try:
        told = signing.loads(token, salt=SALT, max_age=KEPT_SECONDS)
        owner, source_id, name, remark, file_name = told
    except (signing.BadSignature, ValueError):
        return None
    path = _folder() / file_name
    return SetAside(path, source_id, name, remark) if owner == user_id and path.is_file() else None


def forget(aside: SetAside) -> None:
    aside.path.unlink(missing_ok=True)


def _folder() -> Path:
    """Ours alone: in a folder for everybody, somebody else may have made it before."""
    folder = Path(tempfile.gettempdir()) / f"tieout-uploads-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode != stat.S_IFDIR | 0o700:
        raise PermissionError(f"{folder} is not ours alone; remove it.")
    return folder


def _forget_old(folder: Path) -> None:
    for path in folder.iterdir():
        with suppress(OSError):  # another process may be at it
            if path.stat().st_mtime < time.time() - KEPT_SECONDS:
                path.unlink()
