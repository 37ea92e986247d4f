"""The Celery app and the whole beat timetable. A message only says "there may be work"."""

import os
from datetime import timedelta

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("tieout")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

SEALING_EVERY = timedelta(seconds=5)
EXPIRY_EVERY = timedelta(minutes=1)
# A tick nobody heard in time is not made up for: the next one does the same.
app.conf.beat_schedule = {
    "seal the ledger": {
        "task": "ledger.tasks.seal_ledger",
        "schedule": SEALING_EVERY,
        "options": {"expires": SEALING_EVERY.total_seconds()},
    },
    "expire holds": {
        "task": "ledger.tasks.expire_holds",
        "schedule": EXPIRY_EVERY,
        "options": {"expires": EXPIRY_EVERY.total_seconds()},
    },
    "purge idempotency keys": {
        "task": "payments.tasks.purge_idempotency_keys",
        "schedule": crontab(hour="2", minute="15"),
        "options": {"expires": timedelta(hours=1).total_seconds()},
    },
    "verify the ledger": {
        "task": "ledger.tasks.verify_ledger",
        "schedule": crontab(hour="3", minute="30"),
        "options": {"expires": timedelta(hours=1).total_seconds()},
    },
}
