"""The rules that pair report lines with payments and refunds, strongest evidence first.

A rule is one statement in `sql/rule_<name>.sql` that names candidates; what makes a candidate a
match is the same for all (`sql/decide_candidates.sql`). What finds something else is a new version.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MatchingRule:
    """`proves_identity`: a second line for the same item is the same line again, not a tie."""

    name: str
    version: int
    proves_identity: bool = True

    @property
    def sql(self) -> str:
        return f"rule_{self.name}"


EXACT = MatchingRule("exact_reference", 1)
NORMALISED = MatchingRule("normalised_reference", 1)
IN_TEXT = MatchingRule("reference_in_text", 1)
TRUNCATED = MatchingRule("truncated_reference", 2)
PREFIXED = MatchingRule("prefixed_reference", 1)
MATCHING_RULES = (
    EXACT,
    NORMALISED,
    IN_TEXT,
    TRUNCATED,
    PREFIXED,
    MatchingRule("amount_and_due_date", 1, proves_identity=False),
)

DISPUTE_REFERENCE = MatchingRule("dispute_reference", 1)
DISPUTE_REVERSAL = MatchingRule("dispute_reversal", 1)
PAYOUT_ID = MatchingRule("payout_id", 1)
OWN_PAYOUT_ID = MatchingRule("own_payout_id", 2)
OWN_PAYOUT_FILE = MatchingRule("own_payout_file", 1)
DEPOSIT_AMOUNT = MatchingRule("deposit_amount_and_due_date", 1, proves_identity=False)

# What a person says belongs together. No run applies it.
BY_HAND = MatchingRule("by_hand", 1)

ALL_RULES = (
    *MATCHING_RULES,
    DISPUTE_REFERENCE,
    DISPUTE_REVERSAL,
    PAYOUT_ID,
    OWN_PAYOUT_ID,
    OWN_PAYOUT_FILE,
    DEPOSIT_AMOUNT,
)
