"""Long reports of a processor, and what was made of them."""

import hashlib
from pathlib import Path

from django.db import connection

from reconciliation.models import Source

NAMES = (
    "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,"
    "reporting_category,automatic_payout_id,payment_metadata[reference]\n"
)
LINES = """
SELECT line_no, kind, identity, occurrence, external_id, booked_on, value_on, gross, fee, net,
       reference, payout_id, "references"
FROM reconciliation_statementline AS line
JOIN reconciliation_statementfile AS file ON file.id = line.file_id
WHERE file.source_id = %s ORDER BY line_no, occurrence
"""


def report_line(number: int) -> str:
    gross = 100_00 + number % 50_000
    gross_text, net_text = (f"{minor // 100}.{minor % 100:02d}" for minor in (gross, gross - 95))
    return (
        f"txn_{number:012d},2026-03-18 09:30:00,2026-03-19,eur,{gross_text},0.95,{net_text},"
        f"charge,po_{number // 1_000},REF-{number:012d}\n"
    )


def write_report(path: Path, lines: int) -> None:
    """A good report with so many lines."""
    with path.open("w") as file:
        file.write(NAMES)
        file.writelines(map(report_line, range(lines)))


def hash_of_lines(source: Source) -> str:
    """One hash over every line of a source, but for what differs from load to load."""
    digest = hashlib.sha256()
    with connection.cursor() as cursor:
        cursor.execute(LINES, [source.pk])
        for row in cursor.fetchall():
            digest.update(repr(row).encode())
    return digest.hexdigest()
