"""A merchant's members, and what they see of it."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from ledger.models import AuditEvent
from payments.errors import LastOwner, MemberExists
from payments.models import MerchantMember
from payments.services.logins import log_in
from payments.services.members import add_member, change_role, remove_member
from settlements.services.batches import run_settlement
from tests.factories import GatewayFactory, SucceededPaymentFactory
from tests.support.api import Api
from tests.support.people import EMAIL, PASSWORD, SYSTEM, Role, tokens

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]


def test_merchant_keeps_an_owner(ann: User) -> None:
    member = ann.memberships.get()
    add_member(member.merchant, User.objects.create_user("bob"), role=Role.ADMIN, actor=SYSTEM)

    with pytest.raises(LastOwner):
        change_role(member, role=Role.ADMIN, actor=SYSTEM)
    with pytest.raises(LastOwner):
        remove_member(member, actor=SYSTEM)

    assert list(MerchantMember.objects.order_by("pk").values_list("role", flat=True)) == [
        *("owner", "admin"),
    ]


def test_change_of_members_is_in_the_audit_trail(ann: User) -> None:
    merchant, bob = ann.memberships.get().merchant, User.objects.create_user("bob")

    member = add_member(merchant, bob, role=Role.ADMIN, actor=SYSTEM)
    with pytest.raises(MemberExists):
        add_member(merchant, bob, role=Role.OWNER, actor=SYSTEM)
    change_role(member, role=Role.VIEWER, actor=SYSTEM, reason="new job")
    remove_member(member, actor=SYSTEM, reason="left")

    trail = AuditEvent.objects.filter(subject=merchant.public_id, actor_kind="system")
    assert list(trail.order_by("id").values_list("action", "reason", "before", "after")) == [
        ("member.added", "", {}, {"user": "bob", "role": "admin"}),
        (
            "member.role_changed",
            "new job",
            {"user": "bob", "role": "admin"},
            {"user": "bob", "role": "viewer"},
        ),
        ("member.removed", "left", {"user": "bob", "role": "viewer"}, {}),
    ]
    assert log_in(EMAIL, PASSWORD) is not None


def test_dashboard_shows_how_the_merchant_stands(ann: User) -> None:
    GatewayFactory()
    merchant = ann.memberships.get().merchant
    done = SucceededPaymentFactory(merchant=merchant)
    SucceededPaymentFactory()
    api = Api(tokens()["access"])
    api.pay(amount="7.50")

    shown, balance = api.get("/dashboard").json(), api.get("/balance").json()

    assert [payment["amount"] for payment in shown["recent_payments"]] == ["7.50", "100.00"]
    assert shown["recent_payments"][1]["id"] == done.public_id
    assert {key: n for key, n in shown["payments_by_status"].items() if n} == {
        "SUCCEEDED": 1,
        "PENDING": 1,
    }
    assert (
        shown["balances"]
        == balance["balances"]
        == [
            {
                "currency": "EUR",
                "available": "100.00",
                "pending": "7.50",
                "reserve": "0.00",
                "in_transit": "0.00",
            }
        ]
    )


def test_balance_follows_the_money_to_the_bank(ann: User) -> None:
    GatewayFactory()
    payment = SucceededPaymentFactory(merchant=ann.memberships.get().merchant)
    api = Api(tokens()["access"])

    run_settlement(timezone.now().date(), actor=SYSTEM)

    (balance,) = api.get("/balance").json()["balances"]
    assert payment.fee == 0
    assert (balance["available"], balance["in_transit"]) == ("0.00", "100.00")
