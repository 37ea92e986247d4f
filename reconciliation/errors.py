"""What this floor refuses."""

from ledger.errors import Conflict, Invalid, NotFound


class SourceNotFound(NotFound):
    code = "source_not_found"

    def __init__(self, code: str) -> None:
        super().__init__(f"There is no source {code[:60]!r}; `load_config` defines sources.")


class FileRefused(Invalid):
    """The whole file is refused; nothing of it is loaded."""

    code = "file_refused"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")


class UnknownAccount(FileRefused):
    code = "unknown_account"

    def __init__(self, name: str, account: str, currency: str) -> None:
        super().__init__(
            name,
            f"reports on account {account!r} in {currency or 'no currency'}, "
            "which the source does not have; add it to the configuration",
        )


class NothingToReconcile(Conflict):
    code = "nothing_to_reconcile"

    def __init__(self) -> None:
        super().__init__("No statement is loaded yet; `import_statement` loads one.")


class RunNotFound(NotFound):
    code = "run_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such reconciliation run.")
