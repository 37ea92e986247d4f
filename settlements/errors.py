"""What this floor refuses."""

from ledger.errors import Forbidden


class ApproverIsRequester(Forbidden):
    code = "approver_is_requester"

    def __init__(self, payout: object) -> None:
        super().__init__(f"{payout} must be approved by somebody else than who asked for it.")
