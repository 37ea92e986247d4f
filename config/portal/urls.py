"""Routes below /portal/."""

from django.urls import path

from config.portal.doors import Choose, SignIn, SignOut
from config.portal.joining import Join
from config.portal.keys import KeyDetail, KeyRevocation, KeyRotation, Keys
from config.portal.members import MemberDetail, MemberRemoval, MemberRole, Members
from config.portal.overview import Overview
from config.portal.pages import Missing
from config.portal.passwords import ChangePassword, ForgottenPassword, ResetPassword
from config.portal.payments import NewPayment, PaymentDetail, Payments
from config.portal.payments_file import PaymentsFile
from config.portal.reconciliation import Results
from config.portal.refunds import NewRefund
from config.portal.settlements import (
    PayoutDetail,
    Payouts,
    SettlementDetail,
    Settlements,
    Statement,
)
from config.portal.webhooks import Webhooks

app_name = "portal"
urlpatterns = [
    path("sign-in/", SignIn.as_view(), name="sign_in"),
    path("sign-out/", SignOut.as_view(), name="sign_out"),
    path("choose/", Choose.as_view(), name="choose"),
    path("join/<str:token>/", Join.as_view(), name="join"),
    path("password/", ChangePassword.as_view(), name="password"),
    path("password/forgotten/", ForgottenPassword.as_view(), name="forgotten_password"),
    path("password/<uidb64>/<token>/", ResetPassword.as_view(), name="reset_password"),
    path("", Overview.as_view(), name="overview"),
    path("payments/", Payments.as_view(), name="payments"),
    path("payments.csv", PaymentsFile.as_view(), name="payments_file"),
    path("payments/new/", NewPayment.as_view(), name="new_payment"),
    path("payments/<str:payment_id>/", PaymentDetail.as_view(), name="payment"),
    path("payments/<str:payment_id>/refund/", NewRefund.as_view(), name="refund"),
    path("settlements/", Settlements.as_view(), name="settlements"),
    path("settlements/<str:settlement_id>/", SettlementDetail.as_view(), name="settlement"),
    path(
        "settlements/<str:settlement_id>/statement.<str:format>",
        Statement.as_view(),
        name="statement",
    ),
    path("payouts/", Payouts.as_view(), name="payouts"),
    path("payouts/<str:payout_id>/", PayoutDetail.as_view(), name="payout"),
    path("reconciliation/", Results.as_view(), name="reconciliation"),
    path("webhooks/", Webhooks.as_view(), name="webhooks"),
    path("keys/", Keys.as_view(), name="keys"),
    path("keys/<str:key_id>/", KeyDetail.as_view(), name="key"),
    path("keys/<str:key_id>/rotate/", KeyRotation.as_view(), name="rotate_key"),
    path("keys/<str:key_id>/revoke/", KeyRevocation.as_view(), name="revoke_key"),
    path("members/", Members.as_view(), name="members"),
    path("members/<int:member_id>/", MemberDetail.as_view(), name="member"),
    path("members/<int:member_id>/role/", MemberRole.as_view(), name="member_role"),
    path("members/<int:member_id>/remove/", MemberRemoval.as_view(), name="remove_member"),
    path("<path:rest>/", Missing.as_view()),
]
