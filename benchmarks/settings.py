"""The product's settings on the benchmarks' own database, with the peers it is measured beside."""

import os

from config.settings import *  # noqa: F403
from config.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "mptt", "hordak", "benchmarks"]
MIGRATION_MODULES = {"benchmarks": None}  # its tables are made from the models as they are

# Never the one that holds somebody's books.
DATABASES["default"]["NAME"] = os.environ.get("BENCH_DATABASE", "tieout_bench")
# Eight writers of 5,000 entries wait longer for each other than a web request may.
DATABASES["default"]["OPTIONS"].update(application_name="tieout_bench", options="")

DEFAULT_CURRENCY = HORDAK_INTERNAL_CURRENCY = "EUR"
HORDAK_CURRENCIES = CURRENCIES = ["EUR"]
LOGGING["root"]["level"] = "ERROR"  # noqa: F405
