"""Signed reports come out the same for ever, whatever arrives later."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from reconciliation.models import Discrepancy, SourceAccount
from reconciliation.services.runs import reconcile
from reconciliation.services.sign_offs import (
    ReportNotReproduced,
    prepare_sign_off,
    sign,
    verify,
    withdraw,
)
from tests.factories import eur
from tests.support.reports import DAY, bank_of, load, payout_row, report
from tests.support.sign_offs import CHECKER, MAKER, account, sources

__all__ = ["account", "sources"]
pytestmark = pytest.mark.django_db


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
