"""What the figures were taken on."""

import os
import platform
import subprocess
import time
from statistics import median

from django.db import connection
from django.db.backends.utils import CursorWrapper

from config.embedded.places import CHECKOUT

COMMITS = 200


def described() -> str:
    """Cores, memory, versions, what a commit costs, and settings of PostgreSQL that are not its
    defaults."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (version,) = cursor.fetchone()
        cursor.execute(
            "SELECT name || ' ' || current_setting(name) FROM pg_settings"
            " WHERE source IN ('command line', 'configuration file', 'environment variable')"
            " AND setting IS DISTINCT FROM boot_val AND category NOT LIKE 'Client Connection%'"
            " AND category NOT LIKE 'Connections and %' AND category NOT LIKE 'Reporting%'"
            " AND category NOT LIKE 'File Locations%' ORDER BY name"
        )
        settings = ", ".join(setting for (setting,) in cursor.fetchall())
        commit = median(_commit_milliseconds(cursor) for _ in range(COMMITS))
    return (
        f"{os.cpu_count()} cores, {_memory_gib()} GiB, {platform.system()} {platform.machine()},"
        f" Python {platform.python_version()}, PostgreSQL {version} ({settings}),"
        f" revision {_revision()}; a commit takes {commit:.2f} ms; clients and database share the"
        " machine."
    )


def _commit_milliseconds(cursor: CursorWrapper) -> float:
    """How long a transaction takes that does nothing but wait for the disk."""
    started = time.perf_counter()
    cursor.execute("SELECT pg_logical_emit_message(true, 'bench', '')")
    return 1_000 * (time.perf_counter() - started)


def _memory_gib() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def _revision() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.strip() or "unknown"
