"""What people set about sources has versions with a day, a name and a reason."""

from datetime import date, timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from config.people.roles import Role
from ledger.actors import Actor
from ledger.errors import Invalid
from ledger.models import AuditEvent, ChangeRequest
from ledger.services.audit import ReasonMissing
from reconciliation.models import MatchingTolerance, Source, SourceVersion
from reconciliation.services.settings import Tolerance, ask_for_tolerance
from reconciliation.services.sources import SourceTerms, change_source, define_source
from tests.factories import GatewayFactory
from tests.support.back_office import browser_of, person
from tests.support.changes import agree
from tests.support.refusals import refused_by
from tests.support.reports import define_sources

pytestmark = pytest.mark.django_db

CONTROLLER = Actor("user", "7", "controller@example.com")


@pytest.fixture
def source() -> Source:
    GatewayFactory(code="sim")
    return define_sources()[0]


def today() -> date:
    return timezone.localdate(timezone=settings.PLATFORM_ZONE)


def anew(source: Source) -> Source:
    return Source.objects.get(pk=source.pk)


def tolerances(source: Source) -> list[tuple[int, int]]:
    rows = source.tolerances.order_by("pk")
    return list(rows.values_list("fx_tolerance_basis_points", "deposit_days"))


def test_a_tolerance_counts_from_its_day_on(source: Source) -> None:
    for days, points in ((0, 75), (1, 100)):
        change = ask_for_tolerance(
            source,
            Tolerance(points, deposit_days=2),
            valid_from=today() + timedelta(days=days),
            actor=CONTROLLER,
            reason="The rate moves more now.",
        )
        assert len(tolerances(source)) == days + 1
        agree(change)

    assert (anew(source).fx_tolerance_basis_points, anew(source).deposit_days) == (75, 2)
    assert tolerances(source) == [(50, 0), (75, 2), (100, 2)]


def test_who_and_why_are_kept_beside_what_it_was(source: Source) -> None:
    agree(
        ask_for_tolerance(
            source, Tolerance(75), valid_from=today(), actor=CONTROLLER, reason="Agreed with Sim."
        )
    )

    row = source.tolerances.get(fx_tolerance_basis_points=75)
    assert (row.set_by, row.reason) == ("user:controller@example.com", "Agreed with Sim.")
    event = AuditEvent.objects.get(action="matching_tolerance.set")
    assert (
        event.before["fx_tolerance_basis_points"],
        event.after["fx_tolerance_basis_points"],
    ) == (
        50,
        75,
    )


def test_no_day_that_is_over_and_nothing_without_reason(source: Source) -> None:
    yesterday = today() - timedelta(days=1)

    with pytest.raises(Invalid, match="is over"):
        ask_for_tolerance(source, Tolerance(), valid_from=yesterday, actor=CONTROLLER, reason="x")
    with pytest.raises(ReasonMissing):
        ask_for_tolerance(source, Tolerance(), valid_from=today(), actor=CONTROLLER, reason=" ")
    with pytest.raises(Invalid, match="0 to 10000"):
        ask_for_tolerance(source, Tolerance(-1), valid_from=today(), actor=CONTROLLER, reason="x")

    assert tolerances(source) == [(50, 0)]


def test_configuration_again_changes_nothing_and_another_one_is_a_version(source: Source) -> None:
    define_sources()
    assert (tolerances(source), source.versions.count()) == ([(50, 0)], 1)

    terms = SourceTerms(
        kind="processor_report",
        formats=("stripe.payout_reconciliation",),
        gateway="sim",
        deposit_days=3,
    )
    changed = define_source("sim", terms)

    assert (changed.fx_tolerance_basis_points, changed.deposit_days) == (0, 3)
    assert tolerances(source) == [(50, 0), (0, 3)]
    names = [version.terms["counterparties"] for version in source.versions.order_by("number")]
    assert names == [["SIM PAYMENTS"], []]


def test_a_changed_source_keeps_what_it_was(source: Source) -> None:
    changed = change_source(
        source,
        formats=("stripe.payout_reconciliation",),
        zone="Europe/Berlin",
        counterparties=("SIM PAYMENTS", "SIM PAY"),
        on_bad_line="atomic",
        actor=CONTROLLER,
        reason="They moved.",
    )

    assert (changed.zone, changed.is_atomic) == ("Europe/Berlin", True)
    last, first = source.versions.all()
    assert (first.terms["zone"], last.terms["zone"]) == ("UTC", "Europe/Berlin")
    assert (last.number, last.set_by, last.reason) == (
        2,
        "user:controller@example.com",
        "They moved.",
    )
    assert tolerances(source) == [(50, 0)]
    event = AuditEvent.objects.get(action="source.changed")
    assert (event.before["zone"], event.after["zone"]) == ("UTC", "Europe/Berlin")


@pytest.mark.parametrize("model", [MatchingTolerance, SourceVersion])
def test_the_database_changes_no_version(source: Source, model: type) -> None:
    table = model._meta.db_table  # type: ignore[attr-defined]

    assert refused_by(f"UPDATE {table} SET reason = 'another'") is not None
    assert refused_by(f"DELETE FROM {table}") is not None


def test_pages_ask_a_reason_and_show_refusals(source: Source) -> None:
    asks = browser_of(person("maker@example.com", Role.MAKER))
    browser = browser_of(person("controller@example.com", Role.CONTROLLER))
    url = reverse("admin:reconciliation_source_ask_for_tolerance", args=[source.pk])
    wish = {"valid_from": today(), "fx_tolerance_basis_points": 80, "deposit_days": 1}

    assert "This field is required" in asks.post(url, wish).content.decode()
    late = asks.post(url, {**wish, "valid_from": "2020-01-01", "reason": "x"}).content.decode()
    assert "is over" in late
    asks.post(url, {**wish, "reason": "The rate moves more now."})
    change = ChangeRequest.objects.get()
    approve = reverse("admin:ledger_changerequest_approve", args=[change.pk])
    assert "deposit days: 1 (now 0)" in browser.get(approve).content.decode()
    browser.post(approve, {"reason": "Agreed."})

    assert anew(source).fx_tolerance_basis_points == 80
    change = reverse("admin:reconciliation_source_change_source", args=[source.pk])
    said = {"formats": source.formats, "zone": "Mars/Olympus", "reason": "Moved."}
    assert "is no IANA time zone" in browser.post(change, said).content.decode()
    browser.post(change, {**said, "zone": "Europe/Rome", "counterparties": "A\r\n\r\nB"})
    assert (anew(source).zone, anew(source).counterparties) == ("Europe/Rome", ["A", "B"])
