"""What this floor refuses."""

from ledger.errors import Conflict, Forbidden, Invalid, NotFound


class ApproverIsRequester(Forbidden):
    code = "approver_is_requester"

    def __init__(self, subject: object) -> None:
        super().__init__(f"{subject} must be approved by somebody else than who asked for it.")


class SettlementNotFound(NotFound):
    code = "settlement_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such settlement.")


class PayoutNotFound(NotFound):
    code = "payout_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such payout.")


class ScheduleInUse(Conflict):
    code = "settlement_schedule_in_use"

    def __init__(self, schedule: object) -> None:
        super().__init__(
            f"There are other terms of settlement of {schedule}; set new ones from a later day."
        )


class ScheduleInvalid(Invalid):
    code = "settlement_schedule_invalid"


class UnknownHolidays(Invalid):
    code = "unknown_holidays"

    def __init__(self, place: str) -> None:
        super().__init__(
            f"The holidays of {place[:20]!r} are not known; a country's, a part of one's and a"
            ' financial centre\'s are: "DE", "DE-BE", "US", "ECB".'
        )


class BankAccountInvalid(Invalid):
    code = "bank_account_invalid"

    def __init__(self, problem: str) -> None:
        super().__init__(f"This is no bank account payouts can go to: {problem}.")


class BankAccountChanging(Conflict):
    """Another account of the merchant waits to be verified: nothing is paid out until then."""

    code = "bank_account_changing"

    def __init__(self, merchant: object, currency: str) -> None:
        super().__init__(
            f"Another {currency} bank account of {merchant} waits to be verified or refused."
        )


class BankAccountMissing(Conflict):
    code = "bank_account_missing"

    def __init__(self, merchant: object, currency: str) -> None:
        super().__init__(f"{merchant} has no verified bank account for {currency}.")


class DebtorAccountUsed(Conflict):
    code = "debtor_account_used"

    def __init__(self, code: str) -> None:
        super().__init__(
            f"Payout files name the debtor account {code}, so it stays as it is;"
            " another one, under another code, takes its place."
        )


class DebtorAccountMissing(NotFound):
    code = "debtor_account_missing"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no debtor account {name} that payouts leave from.")


class ApprovalNeedsPerson(Forbidden):
    code = "approval_needs_person"

    def __init__(self, payout: object) -> None:
        super().__init__(
            f"{payout} must be approved by a person: it is not below the threshold of its"
            " currency, or one for the same batch came to nothing before."
        )


class PayoutInFile(Conflict):
    code = "payout_in_file"

    def __init__(self, payout: object, file: object) -> None:
        super().__init__(f"{payout} is in the payout file {file}.")


class PayoutFileInvalid(Invalid):
    code = "payout_file_invalid"


class PayoutFileClosed(Conflict):
    """A file that was withdrawn or refused is not handed over; one that left is not withdrawn."""

    code = "payout_file_closed"

    def __init__(self, file: object, status: str, what: str) -> None:
        super().__init__(f"{file} is {status} and cannot be {what}.")


class PayoutFileNotFound(NotFound):
    code = "payout_file_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no payout file {name[:60]}.")


class StatusReportInvalid(Invalid):
    """A file that is no pain.002, or not one that can be trusted."""

    code = "status_report_invalid"

    def __init__(self, problem: str) -> None:
        super().__init__(f"This is no payment status report (pain.002): {problem}.")
