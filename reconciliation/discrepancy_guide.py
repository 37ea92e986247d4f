"""What people want to know of any discrepancy: how old it is, and what to do about it first."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import (
    Case,
    DateField,
    DateTimeField,
    F,
    Func,
    OuterRef,
    QuerySet,
    Subquery,
    When,
)
from django.db.models.functions import Cast, Coalesce

from payments.models import Payment, Refund
from reconciliation.models import Discrepancy

Types = Discrepancy.Type
BUCKETS = ((1, "0-1"), (7, "2-7"), (30, "8-30"), (90, "31-90"))
OLDEST_BUCKET = ">90"
AGE_BUCKETS = (*(name for _, name in BUCKETS), OLDEST_BUCKET)
# These are counted as open from the day they were due; they are as old as what they are about.
NOT_THERE = (
    Types.MISSING_SETTLEMENT,
    Types.SETTLEMENT_PENDING,
    Types.REFUND_NOT_IN_SETTLEMENT,
    Types.DISPUTE_NOT_IN_SETTLEMENT,
    Types.PAYOUT_MISSING,
)
# In the key of what is found about a dispute whose money came back.
WON = ":won_dispute:"


@dataclass(frozen=True, slots=True)
class Action:
    """What to do first; `code` for machines."""

    code: str
    text: str


WAIT = Action("wait", "Nothing yet: it is not due. A later report brings it.")
ASK_PROCESSOR = Action("ask_processor", "Ask the processor for it; it was due and is not reported.")
CLAIM_DIFFERENCE = Action(
    "claim_difference", "Hold it against the contract and claim the difference from the processor."
)
ACCEPT_OR_CLAIM = Action(
    "accept_or_claim", "Accept the difference if it is within what you allow, or claim it."
)
CORRECT_OURSELVES = Action(
    "compare_with_order",
    "Compare with the order: either we booked it wrongly or they settled it so.",
)
FIND_OWNER = Action(
    "find_owner", "Find whose it is and match it by hand, or have the processor take it back."
)
GIVE_BACK = Action("report_duplicate", "Report it as a duplicate; it is to be given back.")
ASK_BANK = Action(
    "trace_deposit", "Have the processor trace the transfer and the bank look for it."
)
BOOK_LINE = Action("book_line", "Match it by hand, or book it against the account it belongs to.")
MEND_FILE = Action("correct_line", "Correct the line in quarantine, or say why it is left out.")
GET_STATEMENT = Action("get_statement", "Get the statement that is missing, or a corrected one.")
PAY_AGAIN = Action("check_bank_account", "Check the merchant's bank account; a new payout is due.")

ACTIONS = {
    Types.MISSING_SETTLEMENT: ASK_PROCESSOR,
    Types.SETTLEMENT_PENDING: WAIT,
    Types.LATE_SETTLEMENT: Action("note_delay", "Note the delay against the contract's days."),
    Types.AMOUNT_MISMATCH: CORRECT_OURSELVES,
    Types.FEE_MISMATCH: CLAIM_DIFFERENCE,
    Types.CURRENCY_MISMATCH: CORRECT_OURSELVES,
    Types.FX_RATE_DEVIATION: CLAIM_DIFFERENCE,
    Types.ROUNDING_DIFFERENCE: ACCEPT_OR_CLAIM,
    Types.WRONG_SIGN: CORRECT_OURSELVES,
    Types.DUPLICATE_LINE: GIVE_BACK,
    Types.ORPHAN_LINE: FIND_OWNER,
    Types.REFUND_NOT_IN_SETTLEMENT: ASK_PROCESSOR,
    Types.DISPUTE_NOT_IN_SETTLEMENT: ASK_PROCESSOR,
    Types.DEPOSIT_SHORT: ASK_BANK,
    Types.DEPOSIT_OVER: GIVE_BACK,
    Types.DEPOSIT_MISSING: ASK_BANK,
    Types.DEPOSIT_DUPLICATE: GIVE_BACK,
    Types.PAYOUT_MISSING: Action(
        "trace_payout", "Have the bank trace the payout; if it never had it, send it once more."
    ),
    Types.PAYOUT_RETURNED: PAY_AGAIN,
    Types.UNEXPLAINED_BANK_LINE: BOOK_LINE,
    Types.UNPARSED_LINE: MEND_FILE,
    Types.BALANCE_GAP: GET_STATEMENT,
}


def suggested_action(discrepancy: Discrepancy) -> Action:
    return ACTIONS[Types(discrepancy.type)]


def original_day(discrepancy: Discrepancy) -> date:
    """The day on which what it is about happened, in its source's zone."""
    if discrepancy.type in NOT_THERE:
        happened_at = _happened_at(discrepancy)
        if happened_at is not None:
            return happened_at.astimezone(discrepancy.source.time_zone).date()
    if discrepancy.type == Types.DEPOSIT_MISSING and discrepancy.processor_payout is not None:
        return discrepancy.processor_payout.line.booked_on
    return discrepancy.since


def _happened_at(discrepancy: Discrepancy) -> datetime | None:
    if discrepancy.payout is not None:
        return discrepancy.payout.sent_at
    if discrepancy.dispute is not None and WON in discrepancy.key:
        return discrepancy.dispute.won_at
    subject = discrepancy.refund or discrepancy.payment or discrepancy.dispute
    return subject.effective_at if subject is not None else None


def with_original_day(discrepancies: QuerySet[Discrepancy]) -> QuerySet[Discrepancy]:
    """The same, which can be asked for `original_on`: what `original_day` says of each."""
    happened_at = Coalesce(
        "payout__sent_at",
        Case(When(key__contains=WON, then="dispute__won_at")),
        _looked_up(Refund, "refund_id"),
        _looked_up(Payment, "payment_id"),
        "dispute__effective_at",
    )
    in_its_zone = Func(
        F("source__zone"), happened_at, function="timezone", output_field=DateTimeField()
    )
    return discrepancies.alias(
        original_on=Case(
            When(type__in=NOT_THERE, then=Coalesce(Cast(in_its_zone, DateField()), "since")),
            When(
                type=Types.DEPOSIT_MISSING,
                then=Coalesce("processor_payout__line__booked_on", "since"),
            ),
            default="since",
        )
    )


def _looked_up(model: type[Payment | Refund], key: str) -> Subquery:
    """Of just those that it is asked of: a join might read the whole table for them."""
    return Subquery(model.objects.filter(pk=OuterRef(key)).values("effective_at"))


def age_days(discrepancy: Discrepancy, *, as_of: date) -> int:
    """Whole days from the original day, never negative."""
    return max((as_of - original_day(discrepancy)).days, 0)


def age_bucket(days: int) -> str:
    return next((name for limit, name in BUCKETS if days <= limit), OLDEST_BUCKET)
