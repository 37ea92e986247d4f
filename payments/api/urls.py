"""Routes below /api/v1 that belong to payments."""

from django.urls import path

from payments.api.payments import PaymentDetail, Payments
from payments.api.refunds import PaymentRefunds, RefundDetail

urlpatterns = [
    path("payments", Payments.as_view()),
    path("payments/<str:payment_id>", PaymentDetail.as_view()),
    path("payments/<str:payment_id>/refunds", PaymentRefunds.as_view()),
    path("refunds/<str:refund_id>", RefundDetail.as_view()),
]
