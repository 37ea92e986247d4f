"""Role × page × action: who gets in where, from one table that knows every page and action.

A page or an action without a case in tests/support/permission_table.py fails `test_table_knows_…`:
say there who may, and the walk proves it. Whoever may not gets 403, or 404 where a page tells
nobody what there is.
"""

from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, URLResolver, reverse

from config.back_office import pages
from config.people.roles import FLOORS, Role, permissions_of
from config.people.step_up import BULK_STEPS, STEPS
from ledger.admin import ReadOnlyAdmin
from ledger.changes import STEPS as CHANGE_STEPS
from ledger.changes import carriers
from reconciliation.models import (
    Discrepancy,
    ReconciliationRun,
    SourceAccount,
    StatementFile,
)
from reconciliation.services.receiving import receive_statement
from tests.factories import GatewayFactory
from tests.support.back_office import browser_of, person
from tests.support.permission_table import (
    ACTIONS,
    ALL,
    AUDITOR,
    BULK,
    CHECKER,
    CONTROLLER,
    DOORS,
    OF_EVERY_MODEL,
    PAGES,
    SECURITY,
    SEPARATE,
    STAFF,
)
from tests.support.reports import ACTOR, DAY, define_sources

pytestmark = pytest.mark.django_db


def names_in(patterns: Any) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names_in(pattern.url_patterns)
        elif pattern.name:
            yield pattern.name


@pytest.fixture
def records(db: None) -> dict[str, Any]:
    """What must be there for a page to ask who is looking."""
    GatewayFactory(code="sim")
    source, _ = define_sources()
    account = SourceAccount.objects.get(source__code="bank")
    run = ReconciliationRun.objects.create(as_of=DAY, rules={})
    found = Discrepancy.objects.create(
        **{"key": "x", "type": "orphan_line", "source": source, "reference": "x"},
        **{"currency": "EUR", "amount": 1, "since": DAY, "opened_by": run},
    )
    received = receive_statement(
        *(source, BytesIO(b"x")),
        **{"name": "x.csv", "channel": StatementFile.Channel.ADMIN, "actor": ACTOR},
    )
    return {
        "ledger_statement": ([account.ledger_account_id, "csv"], ""),
        "reconciliation_sourceaccount_tie_out": ([account.pk], ""),
        "reconciliation_statementfile_watch": ([received.file.pk], ""),
        "reconciliation_reconciliationrun_watch": ([run.pk], ""),
        "reconciliation_discrepancy_candidates": ([found.pk], ""),
        "reconciliation_discrepancy_many": (["resolve"], f"?ids={found.pk}"),
    }


def url_of(name: str, records: dict[str, Any]) -> str:
    known, query = records.get(name, ([], ""))
    for prefix in ("admin:", ""):
        for arguments in (known, [], ["0"]):
            try:
                return reverse(f"{prefix}{name}", args=arguments) + query
            except NoReverseMatch:
                continue
    raise NoReverseMatch(name)


def test_table_knows_every_page_and_no_other() -> None:
    assert {model._meta.label_lower for model in admin.site._registry} == set(PAGES)


def test_table_knows_every_action_and_no_other() -> None:
    names = {*names_in(admin.site.urls[0]), *names_in(pages.urlpatterns)}

    assert {name for name in names if not name.endswith(OF_EVERY_MODEL)} - DOORS == set(ACTIONS)


def test_table_knows_every_bulk_action_and_no_other() -> None:
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_staff=True, is_active=True)
    found = {
        (model._meta.label_lower, name)
        for model, page in admin.site._registry.items()
        if model._meta.app_label in FLOORS
        for name in page.get_actions(request)
    }

    assert found == set(BULK)


@pytest.mark.parametrize("role", Role)
def test_role_sees_its_pages_and_no_other(role: Role) -> None:
    browser = browser_of(person("somebody@example.com", role))

    let_in = {
        label
        for label in PAGES
        if _is_let_in(browser, f"admin:{label.replace('.', '_')}_changelist")
    }

    assert let_in == {label for label, roles in PAGES.items() if role in roles}


def _is_let_in(browser: Client, name: str) -> bool:
    status = browser.get(reverse(name)).status_code
    assert status in (200, 403), name
    return status == 200


@pytest.mark.parametrize("role", Role)
def test_role_takes_its_steps_and_no_other(role: Role, records: dict[str, Any]) -> None:
    browser = browser_of(person("somebody@example.com", role))

    taken = set()
    for name in ACTIONS:
        status = browser.get(url_of(name, records)).status_code
        is_hidden = name == "reconciliation_discrepancy_many" and status == 404
        if status != 403 and not is_hidden:
            assert status in (200, 302, 404), name
            taken.add(name)

    assert taken == {name for name, roles in ACTIONS.items() if role in roles}


@pytest.mark.parametrize("role", Role)
def test_role_has_its_bulk_actions_and_no_other(role: Role) -> None:
    request = RequestFactory().get("/")
    request.user = person("somebody@example.com", role)
    by_label = {model._meta.label_lower: page for model, page in admin.site._registry.items()}

    offered = {key for key in BULK if key[1] in by_label[key[0]].get_actions(request)}

    assert offered == {key for key, roles in BULK.items() if role in roles}


@pytest.mark.parametrize("role", Role)
def test_role_changes_nothing_by_form(role: Role) -> None:
    request = RequestFactory().get("/")
    request.user = person("somebody@example.com", role)

    for model, page in admin.site._registry.items():
        assert not page.has_add_permission(request), model
        assert not page.has_change_permission(request), model
        assert not page.has_delete_permission(request), model


def test_an_auditor_reads_all_and_changes_nothing() -> None:
    changing = {name for name, roles in ACTIONS.items() if roles not in (STAFF, ALL)}

    assert {name for name in changing if AUDITOR in ACTIONS[name]} == {"ledger_auditevent_export"}
    assert not any(AUDITOR in roles for roles in BULK.values())
    assert all(AUDITOR in roles for label, roles in PAGES.items() if label.split(".")[0] in FLOORS)


def permissions_of_steps() -> list[str]:
    """Of every step there is; what only looks needs no more than the right to see."""
    found = [
        permission if "." in permission else f"{model._meta.label_lower}.{permission}"
        for model, page in admin.site._registry.items()
        if isinstance(page, ReadOnlyAdmin)
        for step in (*page._get_base_actions_list(), *page._get_base_actions_detail())
        for permission in step.method.allowed_permissions
        if permission != "view"
    ]
    # Steps of one page, and permissions by what each request is about.
    shared = [f"ledger.changerequest.{step}" for step in ("approve", "refuse", "withdraw")]
    kinds = [each.permission(step) for each in carriers() for step in CHANGE_STEPS[1:]]
    return [each for each in found if each not in shared] + kinds


def test_every_step_has_a_permission_of_its_own() -> None:
    found = Counter(permissions_of_steps())

    assert {name: count for name, count in found.items() if count > 1} == {}
    assert len(found) >= 60


def test_the_permission_of_every_step_exists() -> None:
    there = {
        f"{app}.{codename}"
        for app, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }
    by_model = {"payments.payment.ask_gateway", "payments.refund.ask_gateway"}

    assert set(permissions_of_steps()) - by_model <= there


@pytest.mark.parametrize("role", Role)
def test_no_role_asks_and_decides(role: Role) -> None:
    given = permissions_of(role)

    assert [pair for pair in SEPARATE if set(pair) <= given] == []


def test_every_permission_a_role_has_exists() -> None:
    there = {
        f"{app}.{codename}"
        for app, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }

    assert set().union(*(permissions_of(role) for role in Role)) <= there


def test_steps_that_need_a_fresh_second_factor_exist() -> None:
    assert set(ACTIONS) >= STEPS
    assert {
        (page.removesuffix("_changelist").replace("_", "."), name)
        for page, names in BULK_STEPS.items()
        for name in names
    } <= set(BULK)


def test_every_decision_needs_a_fresh_second_factor() -> None:
    decisions = {
        name
        for name, roles in ACTIONS.items()
        if roles <= {CHECKER, CONTROLLER, SECURITY} and roles
        if not name.endswith(("_refuse", "_remove", "_disable"))
    }

    assert decisions <= STEPS
