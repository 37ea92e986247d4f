"""The WSGI entry point."""

import gc
import os
import warnings
from importlib import import_module

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from payments import process_metrics

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Only an image collects static files; a checkout serves them from the packages.
warnings.filterwarnings("ignore", message="No directory at", category=UserWarning)

django_application = get_wsgi_application()
process_metrics.tidy()
# Imported now: before, Django was not set up.
application = import_module("config.express").ExpressLane(django_application)

# What every request needs is loaded now, and never looked at again when garbage is collected.
get_resolver().url_patterns  # noqa: B018
gc.collect()
gc.freeze()
