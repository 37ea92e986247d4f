"""Routes below /api/v1 that belong to settlements."""

from django.urls import path

from settlements.api.balance import Balance, Dashboard

urlpatterns = [
    path("balance", Balance.as_view()),
    path("dashboard", Dashboard.as_view()),
]
