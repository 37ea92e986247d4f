"""What this floor refuses."""

from ledger.errors import Busy, Conflict, Forbidden, Invalid, NotFound


class SourceNotFound(NotFound):
    code = "source_not_found"

    def __init__(self, code: str) -> None:
        super().__init__(f"There is no source {code[:60]!r}; `load_config` defines sources.")


class FileRefused(Invalid):
    """The whole file is refused; nothing of it is visible."""

    code = "file_refused"

    def __init__(self, name: str, code: str, reason: str) -> None:
        super().__init__(f"{name}: {code}: {reason}")


class FileTooLarge(Invalid):
    code = "file_too_large"

    def __init__(self, name: str, bytes_max: int) -> None:
        super().__init__(f"{name} is larger than {bytes_max // 2**20} MB.")


class FileNotLoaded(Conflict):
    """The file could not be read to its end for a reason of ours; it will be tried again."""

    code = "file_not_loaded"

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} is not loaded yet: {problem or 'somebody else reads it'}.")


class StatementFileNotFound(NotFound):
    code = "statement_file_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such statement file.")


class LineIsResolved(Conflict):
    code = "line_is_resolved"

    def __init__(self, line: object) -> None:
        super().__init__(f"Nobody needs to see to line {line} any more.")


class ConversionIsSettled(Conflict):
    code = "conversion_is_settled"

    def __init__(self, subject: object) -> None:
        super().__init__(
            f"{subject} was converted by this match and is in a settlement batch by now; correct it"
            " by an adjustment."
        )


class LineNotCorrectable(Invalid):
    code = "line_not_correctable"

    def __init__(self, line: object, reason: str) -> None:
        super().__init__(f"Line {line} cannot be corrected: {reason}.")


class NothingToReconcile(Conflict):
    code = "nothing_to_reconcile"

    def __init__(self) -> None:
        super().__init__("No statement is loaded yet; `import_statement` loads one.")


class RunNotFound(NotFound):
    code = "run_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such reconciliation run.")


class DiscrepancyNotFound(NotFound):
    code = "discrepancy_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such discrepancy.")


class MatchNotFound(NotFound):
    code = "match_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such match; it may have been undone.")


class StatementLineNotFound(NotFound):
    code = "statement_line_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such statement line.")


class SubjectNotFound(NotFound):
    code = "subject_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name[:60]!r} is not one payment, refund, dispute or payout.")


class AlreadyMatched(Conflict):
    code = "already_matched"

    def __init__(self, subject: object, match: str) -> None:
        super().__init__(f"{subject} is matched already, by {match}; undo that first.")


class NotMatchable(Invalid):
    code = "not_matchable"

    def __init__(self, subject: object, line: object, reason: str) -> None:
        super().__init__(f"{subject} and {line} cannot be matched: {reason}.")


class DiscrepancyIsSettled(Conflict):
    code = "discrepancy_is_settled"

    def __init__(self, discrepancy: object) -> None:
        super().__init__(f"{discrepancy} is settled; open it again first.")


class ReasonCodeUnknown(Invalid):
    code = "reason_code_unknown"

    def __init__(self, reason_code: str, known: list[str]) -> None:
        super().__init__(f"{reason_code[:60]!r} is no reason code: {', '.join(known)}.")


class NothingToWriteOff(Conflict):
    code = "nothing_to_write_off"

    def __init__(self, discrepancy: object) -> None:
        super().__init__(f"{discrepancy} leaves no amount open on any account.")


class OffOnSeveralAccounts(Conflict):
    """A currency conversion nobody posted, for one: no entry in one currency ends it."""

    code = "off_on_several_accounts"

    def __init__(self, discrepancy: object, accounts: list[str]) -> None:
        super().__init__(
            f"{discrepancy} is off on {', '.join(accounts)}; one entry cannot end that."
        )


class BookingNotPossible(Invalid):
    code = "booking_not_possible"

    def __init__(self, reason: str) -> None:
        super().__init__(f"Nothing can be booked so: {reason}.")


class WriteOffOutdated(Conflict):
    code = "write_off_outdated"

    def __init__(self, write_off: object, now_open: str) -> None:
        super().__init__(
            f"{write_off} does not fit any more: open is now {now_open}. Withdraw it and ask anew."
        )


class WriteOffStands(Conflict):
    """Of a discrepancy that was opened again because its line came after all."""

    code = "write_off_stands"

    def __init__(self, write_off: object) -> None:
        super().__init__(f"{write_off} is in the ledger; reverse it first.")


class WriteOffNeedsSecondPerson(Forbidden):
    code = "write_off_needs_second_person"

    def __init__(self, write_off: object) -> None:
        super().__init__(f"{write_off} must be approved by somebody else than who asked for it.")


class SheetUnreadable(Invalid):
    """A table that people filled in cannot be read; nothing of it was done."""

    code = "sheet_unreadable"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The table cannot be read: {reason}.")


class ResolutionRefused(Invalid):
    code = "resolution_refused"

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column}: {reason}.")


class ReconciliationUnderWay(Busy):
    code = "reconciliation_under_way"

    def __init__(self) -> None:
        super().__init__("A reconciliation run is under way and may settle it; try again soon.")
