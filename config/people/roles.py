"""What people of the back office may do: seven roles, as groups of Django's permissions.

Roles are brought up to date after every `migrate`, because permissions exist only from then on:
Django makes them when all migrations have run, so a data migration of a new installation would find
none. A page that a release adds is seen by those who see all. Nobody edits a role in between.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType

FLOORS = ("ledger", "payments", "settlements", "reconciliation")


class Role(StrEnum):
    VIEWER = "Viewer"
    SUPPORT = "Support"
    MAKER = "Finance maker"
    CHECKER = "Finance checker"
    CONTROLLER = "Controller"
    SECURITY = "Security admin"
    AUDITOR = "Auditor"


# Steps on people that Django has no permission for.
ON_PEOPLE = {
    "set_roles": "Can give people roles and take them away",
    "set_active": "Can shut people out and let them in again",
    "set_first_password": "Can give people a new password to begin with",
    "unlock_person": "Can let people in again who guessed too often",
    "reset_second_factor": "Can take people's second factor away, to enrol another one",
}
# Seen by those who look after access or audit it, not by everybody who works here.
CONFIDENTIAL = {
    "ledger.view_auditevent",
    "payments.view_apikey",
    "payments.view_login",
    "payments.view_merchantmember",
}
ADDED: dict[Role, tuple[str, ...]] = {
    Role.VIEWER: (),
    Role.SUPPORT: (
        "payments.change_payment",
        "payments.change_refund",
        "payments.change_parkedwork",
        "payments.change_webhookdelivery",
    ),
    Role.MAKER: (
        "ledger.request_reopening",
        "payments.change_gatewayevent",
        "payments.change_jobrun",
        "payments.change_parkedwork",
        "payments.change_payment",
        "payments.change_refund",
        "reconciliation.add_signoff",
        "reconciliation.add_writeoff",
        "reconciliation.change_discrepancy",
        "reconciliation.resolve_rejectedline",
        "reconciliation.upload_statementfile",
        "settlements.cancel_payout",
        "settlements.download_payoutfile",
        "settlements.import_statusreport",
        "settlements.make_payoutfile",
        "settlements.request_adjustment",
        "settlements.request_merchantbankaccount",
    ),
    Role.CHECKER: (
        "payments.delete_parkedwork",
        "reconciliation.change_writeoff",
        "settlements.approve_adjustment",
        "settlements.approve_payout",
        "settlements.see_full_iban",
        "settlements.verify_merchantbankaccount",
    ),
    Role.CONTROLLER: (
        "ledger.approve_reopening",
        "ledger.close_accountingperiod",
        "ledger.lock_accountingperiod",
        "ledger.view_auditevent",
        "payments.set_feeplan",
        "reconciliation.change_signoff",
        "reconciliation.define_source",
        "reconciliation.delete_signoff",
        "reconciliation.set_matchingtolerance",
    ),
    Role.SECURITY: (
        *(f"auth.{codename}" for codename in ("view_user", "view_group", "add_user", *ON_PEOPLE)),
        "ledger.export_auditevent",
        "ledger.view_auditevent",
        "payments.add_webhookendpoint",
        "payments.change_apikey",
        "payments.change_webhookendpoint",
        "payments.delete_merchantmember",
        "payments.delete_webhookendpoint",
        "payments.view_apikey",
        "payments.view_login",
        "payments.view_merchant",
        "payments.view_merchantmember",
        "payments.view_webhookdelivery",
        "payments.view_webhookendpoint",
    ),
    Role.AUDITOR: (
        *("auth.view_user", "auth.view_group"),
        "ledger.export_auditevent",
        "settlements.see_full_iban",
    ),
}


def permissions_of(role: Role) -> set[str]:
    """What a role may do, as `app.codename`."""
    if role is Role.SECURITY:
        return set(ADDED[role])
    seen = {
        f"{floor}.view_{model._meta.model_name}"
        for floor in FLOORS
        for model in apps.get_app_config(floor).get_models()
    }
    return (seen if role is Role.AUDITOR else seen - CONFIDENTIAL) | set(ADDED[role])


def roles_of(user: User) -> list[str]:
    return sorted(user.groups.values_list("name", flat=True))


def define_roles(**_: Any) -> None:
    """Every role exists with just its permissions. Harmless to repeat; four queries if it is so."""
    person = ContentType.objects.get_for_model(User)
    Permission.objects.bulk_create(
        [
            Permission(codename=codename, content_type=person, name=name)
            for codename, name in ON_PEOPLE.items()
        ],
        ignore_conflicts=True,
    )
    ids = {
        f"{app}.{codename}": pk
        for app, codename, pk in Permission.objects.values_list(
            "content_type__app_label", "codename", "pk"
        )
    }
    Group.objects.bulk_create([Group(name=role) for role in Role], ignore_conflicts=True)
    groups = dict(Group.objects.filter(name__in=list(Role)).values_list("name", "pk"))
    given = Group.permissions.through
    # Half-way through the migrations there are permissions that do not exist yet.
    wanted = {
        (groups[role], ids[name]) for role in Role for name in permissions_of(role) & ids.keys()
    }
    there = set(
        given.objects.filter(group__in=groups.values()).values_list("group_id", "permission_id")
    )
    _take_away(there - wanted)
    given.objects.bulk_create(
        [given(group_id=group, permission_id=permission) for group, permission in wanted - there],
        ignore_conflicts=True,
    )


def _take_away(pairs: Iterable[tuple[int, int]]) -> None:
    for group, permission in pairs:
        Group.permissions.through.objects.filter(group=group, permission=permission).delete()
