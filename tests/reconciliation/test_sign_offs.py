"""Days signed off by two people: frozen, and reproduced byte for byte whatever comes later."""

import hashlib
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import Invalid, InvalidTransition
from ledger.models import AuditEvent
from ledger.services.audit import ReasonMissing
from reconciliation.admin.sign_offs import SignOffAdmin
from reconciliation.models import Discrepancy, SignOff, SourceAccount
from reconciliation.services.runs import reconcile
from reconciliation.services.sign_offs import (
    ReportNotReproduced,
    SignerIsPreparer,
    SignOffExists,
    SignOffNeedsPerson,
    SignOffRefused,
    prepare_sign_off,
    sign,
    verify,
    withdraw,
)
from reconciliation.services.sources import SourceTerms, define_source
from reconciliation.sign_off import unexplained
from tests.factories import GatewayFactory, eur
from tests.support.races import run_together
from tests.support.reports import DAY, bank_of, define_sources, load, payout_row, report

pytestmark = pytest.mark.django_db

MAKER = Actor("user", "1", "maker@example.com")
CHECKER = Actor("user", "2", "checker@example.com")
OTHER = Actor("user", "3", "other@example.com")
SIGN_OFFS = "admin:reconciliation_signoff"


@pytest.fixture
def sources():
    """Two payouts, one of them arrived; a bank line nobody knows; reconciled."""
    GatewayFactory()
    processor, bank = define_sources()
    load(processor, report(payout_row("po_000001", "98.35"), payout_row("po_000002", "10.00")))
    simulated = bank_of()
    simulated.book(eur("98.35"), counterparty="SIM PAYMENTS", text="PAYOUT po_000001")
    simulated.book(eur("-7.00"), counterparty="SOMEBODY", text="Charges")
    load(bank, simulated.statement())
    reconcile(as_of=DAY)
    return processor, bank


@pytest.fixture
def account(sources) -> SourceAccount:
    return SourceAccount.objects.select_related("source").get(source=sources[1])


def late_files(sources) -> None:
    """A late report, an earlier statement that moves the opening balance, and a later one."""
    processor, bank = sources
    load(processor, report(payout_row("po_000003", "5.00")), name="late")
    earlier = bank_of(DAY - timedelta(days=1), opening="808.65")
    earlier.book(eur("100.00"), counterparty="X", text="Late file")
    load(bank, earlier.statement())
    later = bank_of(DAY + timedelta(days=1))
    later.book(eur("10.00"), counterparty="SIM PAYMENTS", text="PAYOUT po_000002")
    load(bank, later.statement())
    reconcile(as_of=DAY + timedelta(days=1))


def test_day_is_prepared_by_one_person_and_signed_by_another(account):
    sign_off = prepare_sign_off(account, DAY, actor=MAKER)
    signed = sign(sign_off, actor=CHECKER)

    assert (signed.status, signed.prepared_by, signed.signed_by) == (
        "SIGNED",
        "user:maker@example.com",
        "user:checker@example.com",
    )
    assert signed.content_hash == hashlib.sha256(signed.content.encode()).hexdigest()
    events = AuditEvent.objects.filter(subject=signed.public_id).order_by("pk")
    assert [event.action for event in events] == ["sign_off.prepared", "sign_off.signed"]
    assert events[1].after["content_hash"] == signed.content_hash


def test_nobody_signs_what_he_prepared(account):
    sign_off = prepare_sign_off(account, DAY, actor=MAKER)

    with pytest.raises(SignerIsPreparer):
        sign(sign_off, actor=MAKER)
    with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
        SignOff.objects.filter(pk=sign_off.pk).update(
            status="SIGNED", signed_by=str(MAKER), signed_at=timezone.now()
        )

    sign_off.refresh_from_db()
    assert (sign_off.status, sign_off.signed_by) == ("PREPARED", "")


def test_no_program_signs(account):
    sign_off = prepare_sign_off(account, DAY, actor=Actor.system("night"))

    with pytest.raises(SignOffNeedsPerson):
        sign(sign_off, actor=Actor.system("robot"))


def test_day_is_signed_off_once_until_that_is_withdrawn(account):
    first = sign(prepare_sign_off(account, DAY, actor=MAKER), actor=CHECKER)
    with pytest.raises(SignOffExists):
        prepare_sign_off(account, DAY, actor=MAKER)
    with pytest.raises(ReasonMissing):
        withdraw(first, reason=" ", actor=CHECKER)

    withdraw(first, reason="A file was missing.", actor=CHECKER)
    second = sign(prepare_sign_off(account, DAY, actor=MAKER), actor=CHECKER)

    first.refresh_from_db()
    assert (first.status, first.withdrawn_by, first.signed_by) == (
        "WITHDRAWN",
        str(CHECKER),
        str(CHECKER),
    )
    assert second.status == "SIGNED"
    with pytest.raises(InvalidTransition):
        sign(first, actor=OTHER)


@pytest.mark.parametrize(
    "change",
    [
        "content = replace(content, '1098.35', '1098.36')",
        "content = content || ' ', content_hash = encode(sha256((content || ' ')::bytea), 'hex')",
        "content_hash = repeat('0', 64)",
        "known_at = now()",
        "day = day + 1",
        "prepared_by = 'user:somebody'",
        "signed_by = 'user:somebody'",
        "signed_at = now() + interval '1 day'",
        "status = 'PREPARED', signed_by = '', signed_at = NULL",
        "withdrawn_by = 'user:somebody'",
    ],
)
def test_database_refuses_to_change_what_was_signed(account, change):
    sign_off = sign(prepare_sign_off(account, DAY, actor=MAKER), actor=CHECKER)

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE reconciliation_signoff SET {change}")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM reconciliation_signoff")

    again = SignOff.objects.get()
    assert (again.content, again.status, again.signed_by) == (
        sign_off.content,
        "SIGNED",
        str(CHECKER),
    )


def test_signed_report_is_reproduced_after_late_items(sources, account, capsys):
    signed = [
        sign(prepare_sign_off(each, DAY, actor=MAKER), actor=CHECKER)
        for each in SourceAccount.objects.select_related("source").order_by("pk")
    ]

    late_files(sources)

    capsys.readouterr()
    for sign_off in signed:
        call_command("tieout", "--verify", sign_off.public_id)
        assert f"is reproduced byte for byte: {sign_off.content_hash}" in capsys.readouterr().out
        withdraw(sign_off, reason="Late files.", actor=MAKER)
        anew = prepare_sign_off(sign_off.source_account, DAY, actor=MAKER)
        assert anew.content_hash != sign_off.content_hash
        assert verify(anew) == verify(sign_off) == []


def test_discrepancy_that_is_ended_and_opened_again_later_changes_nothing(account):
    finding = Discrepancy.objects.get(type="unexplained_bank_line")
    finding.status, finding.resolved_at = "RESOLVED", timezone.now()
    finding.save()
    sign_off = prepare_sign_off(account, DAY, actor=MAKER)

    finding.status, finding.resolved_at = "OPEN", None
    finding.save()
    with connection.cursor() as cursor:  # within a test all is one transaction and one moment
        cursor.execute(
            "UPDATE reconciliation_undoneending SET undone_at = %s",
            [sign_off.known_at + timedelta(seconds=1)],
        )

    assert verify(sign_off) == []


def test_report_that_comes_out_differently_is_shown_and_not_signed(account, capsys):
    sign_off = prepare_sign_off(account, DAY, actor=MAKER)
    Discrepancy.objects.filter(type="unexplained_bank_line").update(amount=-800)

    with pytest.raises(CommandError, match="not what its records say"):
        call_command("tieout", "--verify", sign_off.public_id)
    told = capsys.readouterr().out
    with pytest.raises(ReportNotReproduced):
        sign(sign_off, actor=CHECKER)

    assert '-     "amount": "-7.00",' in told
    assert '+     "amount": "-8.00",' in told
    sign_off.refresh_from_db()
    assert sign_off.status == "PREPARED"


def test_unknown_sign_off_is_an_error():
    with pytest.raises(CommandError, match="sign_off_not_found"):
        call_command("tieout", "--verify", "so_x")


def test_unsettled_discrepancy_above_the_materiality_stands_in_the_way(account):
    account.source.options = {"sign_off": {"materiality": {"EUR": "6.99"}}}
    account.source.save()

    with pytest.raises(SignOffRefused) as refused:
        prepare_sign_off(account, DAY, actor=MAKER)

    finding = Discrepancy.objects.get(type="unexplained_bank_line")
    missing = Discrepancy.objects.get(type="deposit_missing")
    assert [text.split(" ")[0] for text in refused.value.obstacles] == [
        each.public_id for each in sorted([finding, missing], key=lambda each: each.pk)
    ]
    assert "-7.00 EUR, and up to 6.99 may be open" in str(refused.value)

    account.source.options = {"sign_off": {"materiality": {"EUR": "10.00"}}}
    account.source.save()
    assert prepare_sign_off(account, DAY, actor=MAKER).status == "PREPARED"


@pytest.mark.parametrize(
    "options",
    [
        {"materiality": {"EUR": 100}},
        {"materiality": {"EUR": "-1.00"}},
        {"materiality": {"EUR": "1.001"}},
        {"materiality": {"XXX": "1.00"}},
        {"materiality": "1.00"},
        {"threshold": {}},
    ],
)
def test_materiality_that_makes_no_sense_is_refused(options):
    terms = SourceTerms(kind="bank_statement", formats=("camt.053",), options={"sign_off": options})
    with pytest.raises(Invalid):
        define_source("bank", terms)


@pytest.mark.parametrize("difference", ["-0.01", "0.10", "100.00"])
def test_difference_that_nothing_explains_stands_in_the_way(difference):
    assert unexplained(difference, "EUR") == [f"{difference} EUR is not explained"]
    assert unexplained("0.00", "EUR") == unexplained("0", "JPY") == []


def test_bad_line_in_quarantine_stands_in_the_way(sources):
    lines = report(payout_row("po_000009", "1.00")).replace(b"-1.00", b"one euro")
    file = load(sources[0], lines, name="bad")
    account = SourceAccount.objects.get(source=sources[0])

    with pytest.raises(SignOffRefused, match=f"{file.public_id} .* has lines in quarantine: 2"):
        prepare_sign_off(account, DAY, actor=MAKER)


def officer(client, name: str, *permissions: str):
    user = User.objects.create_user(name, password="x", is_staff=True)
    names = ("view_signoff", *permissions)
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(user)
    return client


def test_two_people_sign_off_in_the_back_office(client, account):
    assert isinstance(admin.site.get_model_admin(SignOff), SignOffAdmin)
    maker = officer(client, "maker@example.com", "add_signoff")
    prepared = maker.post(
        reverse(f"{SIGN_OFFS}_prepare"),
        {"account": account.pk, "day": str(DAY), "reason": "All is explained."},
    )
    sign_off = SignOff.objects.get()
    event = AuditEvent.objects.get(action="sign_off.prepared")
    assert event.reason == "All is explained."
    assert prepared["Location"] == reverse(f"{SIGN_OFFS}_change", args=[sign_off.pk])
    step = reverse(f"{SIGN_OFFS}_sign", args=[sign_off.pk])
    assert maker.post(step, {"reason": "Read."}).status_code == 403

    checker = officer(client, "checker@example.com", "change_signoff", "delete_signoff")
    page = checker.get(reverse(f"{SIGN_OFFS}_report", args=[sign_off.pk])).content.decode()
    text = checker.get(reverse(f"{SIGN_OFFS}_report_json", args=[sign_off.pk])).content
    checker.post(step, {"reason": "Read."})

    sign_off.refresh_from_db()
    assert (sign_off.status, sign_off.signed_by) == ("SIGNED", "user:checker@example.com")
    assert sign_off.content_hash in page
    assert "1098.35" in page
    assert hashlib.sha256(text).hexdigest() == sign_off.content_hash
    shown = checker.get(reverse(f"{SIGN_OFFS}_change", args=[sign_off.pk])).content.decode()
    assert step not in shown
    withdrawal = reverse(f"{SIGN_OFFS}_withdraw", args=[sign_off.pk])
    assert withdrawal in shown
    checker.post(withdrawal, {"reason": "Late file."})
    sign_off.refresh_from_db()
    assert (sign_off.status, sign_off.reason) == ("WITHDRAWN", "Late file.")


def test_back_office_shows_why_a_day_cannot_be_prepared(client, account):
    account.source.options = {"sign_off": {"materiality": {"EUR": "0.00"}}}
    account.source.save()
    maker = officer(client, "maker@example.com", "add_signoff")

    wish = {"account": account.pk, "day": str(DAY)}
    silent = maker.post(reverse(f"{SIGN_OFFS}_prepare"), wish)
    page = maker.post(reverse(f"{SIGN_OFFS}_prepare"), {**wish, "reason": "It is time."})

    assert "This field is required" in silent.content.decode()

    assert "is not settled" in page.content.decode()
    assert not SignOff.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_sign_at_once_one_did(account):
    sign_off = prepare_sign_off(account, DAY, actor=MAKER)

    outcomes = run_together(
        lambda: sign(sign_off, actor=CHECKER), lambda: sign(sign_off, actor=OTHER)
    )

    assert {type(each) for each in outcomes} == {SignOff, InvalidTransition}
    signed = AuditEvent.objects.filter(subject=sign_off.public_id, action="sign_off.signed")
    (event,) = signed
    sign_off.refresh_from_db()
    assert sign_off.signed_by == f"user:{event.actor_label}"


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_prepare_at_once_one_did(account):
    outcomes = run_together(
        lambda: prepare_sign_off(account, DAY, actor=MAKER),
        lambda: prepare_sign_off(account, DAY, actor=OTHER),
    )

    assert {type(each) for each in outcomes} == {SignOff, SignOffExists}


@pytest.mark.django_db(transaction=True)
def test_signed_report_is_reproduced_after_late_items_of_other_transactions(sources, account):
    sign_off = sign(prepare_sign_off(account, DAY, actor=MAKER), actor=CHECKER)
    finding = Discrepancy.objects.get(type="unexplained_bank_line")
    finding.status, finding.resolved_at = "RESOLVED", timezone.now()
    finding.save()
    late_files(sources)
    finding.status, finding.resolved_at = "OPEN", None
    finding.save()

    assert verify(sign_off) == []
