"""Beat's ticks are rows that people may edit: what they changed survives restarts and upgrades."""

from collections.abc import Mapping
from typing import Any

from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

OUR_TASKS = r"^(ledger|payments|settlements|reconciliation|config)\.tasks\."


class EditableScheduler(DatabaseScheduler):
    """Writes our ticks as rows when they are missing; its base would write them at each start."""

    def update_from_dict(self, mapping: Mapping[str, Any]) -> None:
        there = set(PeriodicTask.objects.values_list("name", flat=True))
        super().update_from_dict(
            {name: entry for name, entry in mapping.items() if name not in there}
        )
        # Of earlier versions; nobody could do them.
        retired = PeriodicTask.objects.filter(task__regex=OUR_TASKS)
        retired.exclude(task__in=list(self.app.tasks)).delete()
