"""The limit of the stack: a Django view that does nothing but insert one row in one statement.

Served like the platform (`config/processes.py`), with DJANGO_SETTINGS_MODULE=benchmarks.bare.
"""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.bare_urls"
MIDDLEWARE = []  # type: ignore[var-annotated]
