"""How far the settlement run is that is under way: one transaction, which tells of itself."""

from dataclasses import dataclass

from payments import progress
from settlements.locks import SETTLEMENT_RUN_LOCK

SETTLEMENT = "settlement"


@dataclass(frozen=True, slots=True)
class SettlementProgress:
    """Nothing of the run can be seen before it ends: `said` are its own words, maybe none."""

    said: str
    percent: int | None = None


def begin_run(*, merchants: int) -> None:
    progress.begin(
        SETTLEMENT, step=1, said=f"putting what is due of {merchants} merchants together"
    )


def tell_of_batches(*, batches: int) -> None:
    progress.tell(SETTLEMENT, step=2, said=f"{batches} batches are closed; making their payouts")


def tell_of_entries(*, entries: int) -> None:
    progress.tell(SETTLEMENT, step=3, said=f"posting {entries} entries")


def settlement_under_way() -> SettlementProgress | None:
    """None if no run holds the lock: it ended, or was cut off and has left nothing."""
    told = progress.told(SETTLEMENT, lock=SETTLEMENT_RUN_LOCK)
    if told is None:
        return None
    step = told.number("step")
    if step is None:
        return SettlementProgress("A settlement run is under way; how far it is cannot be told.")
    said = told.said.get("said", "")
    return SettlementProgress(f"Step {step} of 3: {said}.", 100 * (step - 1) // 3)
