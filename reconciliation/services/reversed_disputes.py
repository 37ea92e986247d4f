"""Which dispute a line is about that gives back what a dispute had taken."""

from collections import defaultdict
from collections.abc import Mapping

from ledger.money import Money
from payments.models import Dispute, Payment
from reconciliation.days import end_of
from reconciliation.models import Match, StatementLine, UndoneMatch

Status = Dispute.Status


class Reversals:
    """The disputes of some lines' payments, and which of them have their money back by a line.

    `payments`: by line. Of disputes of the same money the one that its gateway says is won is the
    one, or the only one that had been pulled back by the line's day: else nobody may guess. Other
    money than was taken proves nothing, except of the only dispute that is known to be won.
    """

    def __init__(self, payments: Mapping[int, Payment]) -> None:
        self._payments = payments
        self._disputes: dict[int, list[Dispute]] = defaultdict(list)
        for dispute in (
            Dispute.objects.select_related("payment")
            .filter(payment__in={payment.pk for payment in payments.values()})
            .order_by("effective_at", "reference")
        ):
            self._disputes[dispute.payment_id].append(dispute)
        self._proved = set(
            Match.objects.filter(won_dispute__payment__in=self._disputes).values_list(
                "won_dispute_id", flat=True
            )
        )
        self._undone = set(
            UndoneMatch.objects.filter(kind=Match.Kind.WON_DISPUTE, line__in=payments).values_list(
                "line_id", "subject_id"
            )
        )

    def take(self, line: StatementLine) -> Dispute | None:
        """The one dispute that the line is about; no later line is."""
        found = self._found(line)
        if len(found) != 1:
            return None
        self._proved.add(found[0].pk)
        return found[0]

    def is_tied(self, line: StatementLine) -> bool:
        return len(self._found(line)) > 1

    def already_won(self, line: StatementLine) -> Dispute | None:
        """The dispute that the line repeats: its money is back, by another line."""
        proved = [each for each in self._of(line) if each.pk in self._proved]
        same = [each for each in proved if shown_by(line, each) == each.money]
        return same[-1] if same else None

    def _found(self, line: StatementLine) -> list[Dispute]:
        free = [
            each
            for each in self._of(line)
            if each.pk not in self._proved and each.status != Status.LOST
        ]
        is_won = [each for each in free if each.status == Status.WON]
        same = [each for each in free if shown_by(line, each) == each.money]
        if not same:
            return is_won if len(is_won) == 1 and line.gross > 0 else []
        zone = line.source_account.source.time_zone
        until = end_of(line.booked_on, zone)
        for fewer in (
            [each for each in same if each in is_won],
            [each for each in same if each.effective_at < until],
        ):
            same = [each for each in same if each in fewer] or same
        return same

    def _of(self, line: StatementLine) -> list[Dispute]:
        return [
            each
            for each in self._disputes[self._payments[line.pk].pk]
            if (line.pk, each.pk) not in self._undone
        ]


def shown_by(line: StatementLine, dispute: Dispute) -> Money:
    """What a line gives back, as the payer sees it: in the dispute's currency if that was converted
    and the report does not tell what it was before.
    """
    if line.presentment_amount is not None:
        return Money(line.presentment_amount, line.presentment_currency or line.currency)
    settled_in = dispute.payment.settlement_currency
    if line.gross > 0 and line.currency == settled_in != dispute.currency:
        return dispute.money
    return Money(line.gross, line.currency)
