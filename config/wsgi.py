"""The WSGI entry point."""

import os
import warnings

from django.core.wsgi import get_wsgi_application

from payments import process_metrics

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Only an image collects static files; a checkout serves them from the packages.
warnings.filterwarnings("ignore", message="No directory at", category=UserWarning)

application = get_wsgi_application()
process_metrics.tidy()
