"""Routes below /api/v1 that belong to reconciliation."""

from django.urls import path

from reconciliation.api.results import (
    Discrepancies,
    DiscrepancyDetail,
    Results,
    RunDetail,
    Runs,
)
from reconciliation.api.statements import StatementDetail, Statements

urlpatterns = [
    path("reconciliation/results", Results.as_view()),
    path("reconciliation/runs", Runs.as_view()),
    path("reconciliation/runs/<str:run_id>", RunDetail.as_view()),
    path("discrepancies", Discrepancies.as_view()),
    path("discrepancies/<str:discrepancy_id>", DiscrepancyDetail.as_view()),
    path("statements", Statements.as_view()),
    path("statements/<str:statement_id>", StatementDetail.as_view()),
]
