"""What a line may be about, by kind and by name."""

from payments.models import Dispute, Payment, Refund
from reconciliation.errors import MatchNotFound, StatementLineNotFound, SubjectNotFound
from reconciliation.models import Match, ProcessorPayout, StatementLine
from settlements.models import Payout

Subject = Payment | Refund | Dispute | ProcessorPayout | Payout
Kind = Match.Kind
# The field of a match.
FIELDS = {
    Kind.PAYMENT: "payment",
    Kind.REFUND: "refund",
    Kind.DISPUTE: "dispute",
    Kind.WON_DISPUTE: "won_dispute",
    Kind.DEPOSIT: "processor_payout",
    Kind.PAYOUT: "payout",
}
MODELS = (Payment, Refund, Dispute, Payout)


def kind_of(subject: Subject, line: StatementLine) -> Match.Kind:
    """What the line proves of the record; one that gives money back: that a dispute is won."""
    if isinstance(subject, Payment):
        return Kind.PAYMENT
    if isinstance(subject, Refund):
        return Kind.REFUND
    if isinstance(subject, Dispute):
        is_back = line.kind == StatementLine.Kind.DISPUTE_REVERSAL
        return Kind.WON_DISPUTE if is_back else Kind.DISPUTE
    return Kind.DEPOSIT if isinstance(subject, ProcessorPayout) else Kind.PAYOUT


def name_of_subject(subject: Subject) -> str:
    """Our public id, or the processor's id of its payout."""
    return subject.external_id if isinstance(subject, ProcessorPayout) else subject.public_id


def line_by_id(public_id: str) -> StatementLine:
    """Raises StatementLineNotFound."""
    line = StatementLine.objects.filter(pk=_number(public_id, "stl_")).first()
    if line is None:
        raise StatementLineNotFound()
    return line


def match_by_id(public_id: str) -> Match:
    """Raises MatchNotFound."""
    match = Match.objects.filter(pk=_number(public_id, "match_")).first()
    if match is None:
        raise MatchNotFound()
    return match


def subject_by_id(name: str) -> Subject:
    """By public id; a processor's payout by the processor's id, if only one has it.

    Raises SubjectNotFound.
    """
    name = name.replace("\0", "?")
    for model in MODELS:
        found = model.objects.filter(public_id=name).first()
        if found is not None:
            return found
    payouts = ProcessorPayout.objects.filter(external_id=name).order_by("pk")[:2]
    if len(payouts) != 1:
        raise SubjectNotFound(name)
    return payouts[0]


def _number(public_id: str, prefix: str) -> int:
    digits = public_id.removeprefix(prefix)
    is_ours = public_id.startswith(prefix) and digits.isdecimal() and digits.isascii()
    return int(digits) if is_ours and len(digits) < 19 else 0
