"""What this floor refuses."""

from ledger.errors import Conflict, Invalid, NotFound


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
