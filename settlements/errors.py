"""What this floor refuses."""

from ledger.errors import Forbidden, NotFound


class ApproverIsRequester(Forbidden):
    code = "approver_is_requester"

    def __init__(self, payout: object) -> None:
        super().__init__(f"{payout} must be approved by somebody else than who asked for it.")


class SettlementNotFound(NotFound):
    code = "settlement_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such settlement.")


class PayoutNotFound(NotFound):
    code = "payout_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such payout.")
