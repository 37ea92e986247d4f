"""manage.py export_matches [--run ID] --format csv|xlsx|json -o FILE"""

from typing import Any

from reconciliation.exports import MATCH_COLUMNS, match_rows, write
from reconciliation.management.export import ExportCommand


class Command(ExportCommand):
    help = "Write the matches, of all runs or of one, to a file."

    def run(self, **options: Any) -> None:
        rows = match_rows(run=self.read_run(options))
        count = write(rows, MATCH_COLUMNS, options["output"], options["format"])
        self.written(count, options["output"])
