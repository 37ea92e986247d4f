"""The Celery app and what beat rings. A message only says "there may be work".

Which business period is due is not asked of beat, which knows neither calendars nor what was
missed: it only rings often enough. `config/timetable.py` has the jobs.
"""

import os
from datetime import timedelta

from celery import Celery
from celery.signals import worker_init

from config import metrics_port, redis_broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

redis_broker.register()
app = Celery("tieout")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(related_name="timetable")

TICKS = {
    "seal the ledger": ("ledger.tasks.seal_ledger", timedelta(seconds=5)),
    "expire holds": ("ledger.tasks.expire_holds", timedelta(minutes=1)),
    "sweep the queues": ("payments.tasks.sweep", timedelta(seconds=5)),
    "enqueue due jobs": ("payments.tasks.enqueue_jobs", timedelta(seconds=30)),
    "empty the inbox": ("reconciliation.tasks.pick_up_statements", timedelta(minutes=1)),
    "match what came": ("reconciliation.tasks.match_arrivals", timedelta(seconds=5)),
    "keep tie-outs": ("reconciliation.tasks.keep_proofs", timedelta(seconds=5)),
}
# A tick nobody heard in time is not made up for: the next one does the same.
app.conf.beat_schedule = {
    name: {"task": task, "schedule": every, "options": {"expire_seconds": every.seconds}}
    for name, (task, every) in TICKS.items()
}

worker_init.connect(metrics_port.open_port)
