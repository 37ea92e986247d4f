"""What every test of the ledger starts with."""

from pathlib import Path

import pytest
from django.conf import LazySettings


@pytest.fixture(autouse=True)
def anchor_file(settings: LazySettings, tmp_path: Path) -> Path:
    """Anchors of this test alone."""
    settings.LEDGER_ANCHOR_FILE = str(tmp_path / "anchors.log")
    return tmp_path / "anchors.log"
