"""manage.py export_discrepancies [--run ID] --format csv|xlsx|json -o FILE"""

from typing import Any

from django.utils import timezone

from reconciliation.exports import DISCREPANCY_COLUMNS, discrepancy_rows, write
from reconciliation.management.export import ExportCommand
from reconciliation.selectors import latest_day


class Command(ExportCommand):
    help = "Write the open discrepancies, or those one run opened, to a file."

    def run(self, **options: Any) -> None:
        as_of = latest_day() or timezone.now().date()
        rows = discrepancy_rows(run=self.read_run(options), as_of=as_of)
        count = write(rows, DISCREPANCY_COLUMNS, options["output"], options["format"])
        self.written(count, options["output"])
