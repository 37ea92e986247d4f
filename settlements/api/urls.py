"""Routes below /api/v1 that belong to settlements."""

from django.urls import path

from settlements.api.balance import Balance, Dashboard
from settlements.api.settlements import (
    PayoutDetail,
    Payouts,
    SettlementDetail,
    SettlementLines,
    Settlements,
)
from settlements.api.statements import SettlementStatementFile

urlpatterns = [
    path("balance", Balance.as_view()),
    path("dashboard", Dashboard.as_view()),
    path("settlements", Settlements.as_view()),
    path("settlements/<str:settlement_id>", SettlementDetail.as_view()),
    path("settlements/<str:settlement_id>/lines", SettlementLines.as_view()),
    path("settlements/<str:settlement_id>/statement", SettlementStatementFile.as_view()),
    path("payouts", Payouts.as_view()),
    path("payouts/<str:payout_id>", PayoutDetail.as_view()),
]
