"""Statements in; matches, discrepancies and proofs out."""

from reconciliation.models.discrepancies import Discrepancy
from reconciliation.models.matches import Match, MatchLine, ProcessorPayout, ReconciliationRun
from reconciliation.models.rates import FxRate
from reconciliation.models.sources import Source, SourceAccount
from reconciliation.models.statements import (
    RejectedLine,
    Statement,
    StatementFile,
    StatementLine,
)

__all__ = [
    "Discrepancy",
    "FxRate",
    "Match",
    "MatchLine",
    "ProcessorPayout",
    "ReconciliationRun",
    "RejectedLine",
    "Source",
    "SourceAccount",
    "Statement",
    "StatementFile",
    "StatementLine",
]
