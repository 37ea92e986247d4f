"""Statements in; matches, discrepancies and proofs out."""

from reconciliation.models.account_proofs import AccountProof
from reconciliation.models.discrepancies import Discrepancy, DiscrepancyNote
from reconciliation.models.fee_groups import FeeGroup
from reconciliation.models.files import (
    ArchiveMember,
    RejectedLine,
    StatementFile,
    StatementFileChunk,
)
from reconciliation.models.matches import (
    Match,
    ProcessorPayout,
    ReconciliationRun,
    UndoneMatch,
)
from reconciliation.models.rates import FxRate
from reconciliation.models.settings import MatchingTolerance, SourceVersion
from reconciliation.models.sign_offs import SignOff
from reconciliation.models.sources import Source, SourceAccount
from reconciliation.models.statements import Statement, StatementLine
from reconciliation.models.write_offs import WriteOff

__all__ = [
    "AccountProof",
    "ArchiveMember",
    "Discrepancy",
    "DiscrepancyNote",
    "FeeGroup",
    "FxRate",
    "Match",
    "MatchingTolerance",
    "ProcessorPayout",
    "ReconciliationRun",
    "RejectedLine",
    "SignOff",
    "Source",
    "SourceAccount",
    "SourceVersion",
    "Statement",
    "StatementFile",
    "StatementFileChunk",
    "StatementLine",
    "UndoneMatch",
    "WriteOff",
]
