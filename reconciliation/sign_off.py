"""What stands in the way of somebody signing an account's statements off."""

from datetime import date

from django.db.models import Q, QuerySet

from reconciliation.models import RejectedLine, Source, SourceAccount, StatementFile

LINES_NAMED = 5


def quarantined_lines(source: Source) -> QuerySet[RejectedLine]:
    """Lines of loaded files that could not be read and wait for a person."""
    return RejectedLine.objects.select_related("file").filter(
        resolution="", file__source=source, file__loaded_at__isnull=False
    )


def obstacles_to_sign_off(account: SourceAccount, *, day: date) -> list[str]:
    """Why the account's statements up to a day cannot be signed off; empty if they can.

    A line that nobody could read may be of any account and day that its file is about.
    """
    about = Q(file__statements__source_account=account, file__statements__first_day__lte=day)
    lines = quarantined_lines(account.source).filter(about | Q(file__statements=None))
    by_file: dict[StatementFile, list[int]] = {}
    for line in lines.distinct().order_by("file_id", "line_no"):
        by_file.setdefault(line.file, []).append(line.line_no)
    return [_quarantined(file, numbers) for file, numbers in by_file.items()]


def _quarantined(file: StatementFile, numbers: list[int]) -> str:
    named = ", ".join(map(str, numbers[:LINES_NAMED]))
    more = f" and {len(numbers) - LINES_NAMED} more" if len(numbers) > LINES_NAMED else ""
    return f"{file.public_id} ({file.name}) has lines in quarantine: {named}{more}"
