"""What every test of the ledger starts with."""

from pathlib import Path

import pytest
from django.conf import LazySettings

from tests.support.forgery import forge, sealed, unsealed

__all__ = ["anchor_file", "forge", "sealed", "unsealed"]


@pytest.fixture(autouse=True)
def anchor_file(settings: LazySettings, tmp_path: Path) -> Path:
    """Anchors of this test alone."""
    settings.LEDGER_ANCHOR_FILE = str(tmp_path / "anchors.log")
    return tmp_path / "anchors.log"
