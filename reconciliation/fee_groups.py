"""From a match to the entry that carries its fee, and back."""

from django.db.models import QuerySet

from ledger.models import JournalEntry
from reconciliation.models import FeeGroup, Match


def fee_group_of(match: Match) -> FeeGroup | None:
    """In whose entry the fee of the match's line is.

    None if there is no fee, if it is not posted yet, or if it has an entry of its own: that was so
    before there were groups.
    """
    line = match.line
    if not line.fee:
        return None
    return FeeGroup.objects.filter(
        run=match.run_id,
        source_account=line.source_account_id,
        booked_on=line.booked_on,
        first_match__lte=match.pk,
        last_match__gte=match.pk,
    ).first()


def matches_in(group: FeeGroup) -> QuerySet[Match]:
    """Those whose fees its entry stands for, without what was undone (`group.undone_matches`)."""
    return Match.objects.filter(
        run=group.run_id,
        pk__range=(group.first_match, group.last_match),
        line__source_account=group.source_account_id,
        line__booked_on=group.booked_on,
    ).exclude(line__fee=0)


def entry_of(group: FeeGroup) -> JournalEntry:
    """The entry, which whoever made the group posted with it."""
    return JournalEntry.objects.get(reference=group.public_id, reverses=None)
