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
    "shut_out": "Can shut people out",
    "let_in": "Can let people in again who were shut out",
    "set_first_password": "Can give people a new password to begin with",
    "unlock_person": "Can let people in again who guessed too often",
    "request_roles": "Can ask for other roles of a person",
    "approve_roles": "Can approve roles that somebody else asked for",
    "refuse_roles": "Can refuse roles",
    "withdraw_roles": "Can withdraw roles that wait",
    "request_second_factor_reset": "Can ask for a person's second factor to be taken away",
    "approve_second_factor_reset": "Can approve that a person's second factor is taken away",
    "refuse_second_factor_reset": "Can refuse to take a person's second factor away",
    "withdraw_second_factor_reset": "Can withdraw a reset of a second factor that waits",
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
        "payments.ask_to_discard_parkedwork",
        "payments.change_parkedwork",
        "payments.change_webhookdelivery",
        "payments.replay_webhookendpoint",
        "payments.test_webhookendpoint",
    ),
    Role.MAKER: (
        "ledger.request_reopening",
        "payments.ask_to_discard_parkedwork",
        "payments.change_gatewayevent",
        "payments.change_jobrun",
        "payments.change_parkedwork",
        "payments.change_payment",
        "payments.change_refund",
        "payments.request_feeplan",
        "payments.skip_jobrun",
        "payments.withdraw_feeplan",
        "reconciliation.add_discrepancynote",
        "reconciliation.add_match",
        "reconciliation.add_signoff",
        "reconciliation.add_writeoff",
        "reconciliation.assign_discrepancy",
        "reconciliation.change_discrepancy",
        "reconciliation.correct_rejectedline",
        "reconciliation.delete_match",
        "reconciliation.discard_rejectedline",
        "reconciliation.reopen_discrepancy",
        "reconciliation.request_matchingtolerance",
        "reconciliation.resolve_discrepancy",
        "reconciliation.retry_statementfile",
        "reconciliation.upload_statementfile",
        "reconciliation.withdraw_matchingtolerance",
        "reconciliation.withdraw_writeoff",
        "settlements.cancel_payout",
        "settlements.download_payoutfile",
        "settlements.import_statusreport",
        "settlements.make_payoutfile",
        "settlements.request_adjustment",
        "settlements.request_merchantbankaccount",
        "settlements.withdraw_payoutfile",
    ),
    Role.CHECKER: (
        "payments.delete_parkedwork",
        "reconciliation.approve_writeoff",
        "reconciliation.refuse_writeoff",
        "reconciliation.reverse_writeoff",
        "settlements.approve_adjustment",
        "settlements.approve_payout",
        "settlements.refuse_adjustment",
        "settlements.refuse_merchantbankaccount",
        "settlements.see_full_iban",
        "settlements.verify_merchantbankaccount",
    ),
    Role.CONTROLLER: (
        "auth.approve_roles",
        "auth.approve_second_factor_reset",
        "auth.refuse_roles",
        "auth.refuse_second_factor_reset",
        "ledger.approve_reopening",
        "ledger.close_accountingperiod",
        "ledger.lock_accountingperiod",
        "ledger.view_auditevent",
        "payments.approve_feeplan",
        "payments.refuse_feeplan",
        "reconciliation.approve_matchingtolerance",
        "reconciliation.change_signoff",
        "reconciliation.define_source",
        "reconciliation.delete_signoff",
        "reconciliation.refuse_matchingtolerance",
    ),
    Role.SECURITY: (
        *("auth.view_user", "auth.view_group", "auth.add_user"),
        # Who looks after access decides on none of it.
        *(f"auth.{step}" for step in ON_PEOPLE if not step.startswith(("approve_", "refuse_"))),
        "ledger.export_auditevent",
        "ledger.view_auditevent",
        "ledger.view_changerequest",
        "payments.add_webhookendpoint",
        "payments.change_apikey",
        "payments.delete_merchantmember",
        "payments.delete_webhookendpoint",
        "payments.disable_webhookendpoint",
        "payments.enable_webhookendpoint",
        "payments.rotate_webhookendpoint",
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
