"""Lines that could not be read: they wait for a person, and nothing is signed off meanwhile."""

import io

import pytest
from django.core.management import call_command

from ledger.models import AuditEvent
from ledger.services.audit import ReasonMissing
from reconciliation.errors import FileRefused, LineIsResolved, LineNotCorrectable
from reconciliation.models import (
    RejectedLine,
    Source,
    SourceAccount,
    StatementFile,
    StatementLine,
)
from reconciliation.services.imports import import_statement
from reconciliation.services.loading import load_statements
from reconciliation.services.quarantine import correct_line, discard_line
from reconciliation.services.receiving import opened
from reconciliation.services.runs import reconcile
from reconciliation.services.sources import SourceTerms, define_source
from reconciliation.sign_off import obstacles_to_sign_off
from tests.factories import GatewayFactory, eur
from tests.reconciliation.importers.processor_reports import OFX_SGML
from tests.support.bank_files import camt, entry
from tests.support.reports import ACTOR, DAY, bank_of, define_sources, load

pytestmark = pytest.mark.django_db

NAMES = (
    "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,"
    "reporting_category,description\n"
)


def line(number: int, gross: str = "10.00", text: str = "coffee") -> str:
    return f"txn_{number},2026-03-18,2026-03-19,eur,{gross},0.00,10.00,charge,{text}"


BAD = line(2, gross='"10,00"')
REPORT = "\n".join([NAMES.strip(), line(1), BAD, line(3), line(4, gross="ten")]) + "\n"


def file_of(processor, text: str = REPORT) -> StatementFile:
    return load(processor, text.encode())


def bad_lines(file: StatementFile) -> list[RejectedLine]:
    return list(file.rejected.filter(resolution=""))


def correct(bad: RejectedLine, text: str) -> StatementFile:
    correct_line(bad, text=text, actor=ACTOR, reason="As the processor told us.")
    while load_statements():
        pass
    return StatementFile.objects.get(pk=bad.file_id)


def ids() -> set[str]:
    return set(StatementLine.objects.values_list("external_id", flat=True))


def test_corrected_line_is_loaded_and_the_file_stays_as_it_came(processor):
    file = file_of(processor)
    first, _ = bad_lines(file)

    after = correct(first, line(2))

    assert (after.status, after.line_count, ids()) == (
        "LOADED_WITH_ERRORS",
        3,
        {"txn_1", "txn_2", "txn_3"},
    )
    first.refresh_from_db()
    assert (first.resolution, first.correction, first.raw) == ("LOADED", line(2), BAD)
    added = StatementLine.objects.get(external_id="txn_2")
    assert (added.line_no, added.corrected_at > after.loaded_at) == (3, True)
    assert after.statements.get().net == 30_00
    with opened(after) as kept:
        assert kept.read() == REPORT.encode()


def test_all_lines_seen_to_make_the_file_loaded(processor):
    file = file_of(processor)
    first, second = bad_lines(file)

    correct(first, line(2))
    discard_line(second, actor=ACTOR, reason="A test payment of theirs.")

    file.refresh_from_db()
    assert (file.status, bad_lines(file)) == ("LOADED", [])
    assert ids() == {"txn_1", "txn_2", "txn_3"}
    assert list(
        AuditEvent.objects.filter(subject=file.public_id, action__startswith="rejected_line.")
        .order_by("pk")
        .values_list("action", "reason")
    ) == [
        ("rejected_line.corrected", "As the processor told us."),
        ("rejected_line.discarded", "A test payment of theirs."),
    ]


def test_several_corrections_are_read_together(processor):
    file = file_of(processor)
    first, second = bad_lines(file)

    correct_line(first, text=line(2), actor=ACTOR, reason="Told.")
    correct_line(second, text=line(4), actor=ACTOR, reason="Told.")

    assert load_statements() == 1
    file.refresh_from_db()
    assert (file.status, file.line_count) == ("LOADED", 4)
    assert ids() == {"txn_1", "txn_2", "txn_3", "txn_4"}


def test_second_correction_keeps_the_first(processor):
    file = file_of(processor)
    first, second = bad_lines(file)

    correct(first, line(2))
    after = correct(second, line(4))

    assert (after.status, after.line_count) == ("LOADED", 4)
    assert StatementLine.objects.count() == 4


def test_correction_that_cannot_be_read_either_waits_again(processor):
    first, _ = bad_lines(file_of(processor))

    after = correct(first, line(2, gross="nine"))

    first.refresh_from_db()
    assert (after.status, first.resolution, first.correction) == ("LOADED_WITH_ERRORS", "", "")
    assert "bad_amount" in first.resolution_reason
    assert ids() == {"txn_1", "txn_3"}


@pytest.mark.parametrize(
    "text",
    ['txn_2,"2026-03-18,2026-03-19,eur,10.00,0.00,10.00,charge,x', line(2, text='"open')],
)
def test_correction_that_would_swallow_other_lines_is_not_used(processor, text):
    first, _ = bad_lines(file_of(processor))

    after = correct(first, text)

    first.refresh_from_db()
    assert (after.status, after.line_count, first.resolution) == ("LOADED_WITH_ERRORS", 2, "")
    assert first.resolution_reason.startswith("The correction is not used: ")
    assert ids() == {"txn_1", "txn_3"}


def test_correction_under_another_configuration_is_not_used(processor, monkeypatch):
    first, _ = bad_lines(file_of(processor))
    # As if a column were mapped otherwise now: every line reads differently.
    monkeypatch.setattr(
        "reconciliation.services.staging.identity_of", lambda line: f"other:{line.external_id}"
    )

    after = correct(first, line(2))

    first.refresh_from_db()
    assert "correction_spreads" in first.resolution_reason
    assert (after.line_count, StatementLine.objects.count()) == (2, 2)


def test_corrected_line_that_equals_another_one_is_a_second_one(processor):
    text = "\n".join([NAMES.strip(), line(1), BAD, line(2)]) + "\n"
    file = file_of(processor, text)
    (bad,) = bad_lines(file)

    correct(bad, line(2))

    lines = StatementLine.objects.filter(external_id="txn_2").order_by("occurrence")
    assert [(each.occurrence, each.line_no) for each in lines] == [(1, 4), (2, 3)]


def test_line_the_books_have_no_place_for_is_quarantined_as_it_stands_and_correctable(processor):
    text = "\n".join([NAMES.strip(), line(1), line(2).replace("10.00", "10.001")]) + "\n"
    file = file_of(processor, text)
    (bad,) = bad_lines(file)
    assert (bad.code, bad.raw) == ("invalid_amount", text.splitlines()[2])

    after = correct(bad, line(2))

    assert (after.status, ids()) == ("LOADED", {"txn_1", "txn_2"})


def test_what_cannot_be_a_correction_is_refused(processor):
    file = file_of(processor)
    first, _ = bad_lines(file)

    for text in ("", " \n", "a\nb", "x" * 10_001, "a\0b", BAD):
        with pytest.raises(LineNotCorrectable):
            correct_line(first, text=text, actor=ACTOR, reason="Told.")
    with pytest.raises(ReasonMissing):
        correct_line(first, text=line(2), actor=ACTOR, reason=" ")
    with pytest.raises(ReasonMissing):
        discard_line(first, actor=ACTOR, reason="")

    discard_line(first, actor=ACTOR, reason="Told.")
    with pytest.raises(LineIsResolved):
        correct_line(first, text=line(2), actor=ACTOR, reason="Told.")


def test_lines_of_a_refused_file_wait_for_nobody():
    GatewayFactory()
    _, bank = define_sources()
    with pytest.raises(FileRefused):
        load(bank, camt(entry(), entry(mark="PLUS")))
    (bad,) = RejectedLine.objects.all()

    with pytest.raises(LineIsResolved):
        discard_line(bad, actor=ACTOR, reason="Told.")


def test_bank_may_be_told_to_quarantine_and_xml_cannot_be_corrected():
    GatewayFactory()
    _, bank = define_sources()
    bank.on_bad_line = "quarantine"
    bank.save()

    file = load(bank, camt(entry("5.00"), entry("6.00", mark="PLUS"), closing="111.00"))

    (bad,) = bad_lines(file)
    assert (file.status, file.line_count, bad.line_no) == ("LOADED_WITH_ERRORS", 1, 2)
    with pytest.raises(LineNotCorrectable, match="no line of a text"):
        correct_line(bad, text="<Ntry/>", actor=ACTOR, reason="Told.")


def test_transaction_of_an_ofx_file_is_no_line_of_a_text_either():
    account = SourceTerms(
        kind=Source.Kind.BANK_STATEMENT,
        formats=("ofx",),
        on_bad_line="quarantine",
        accounts=(("12345", "EUR"),),
    )
    long_name = OFX_SGML.replace(b"ACME & SONS", b"ACME" * 100)

    file = load(define_source("bank", account), long_name)

    (bad,) = bad_lines(file)
    assert (file.line_count, bad.line_no, bad.code) == (1, 1, "invalid")
    assert "ACMEACME" in bad.raw  # what was read of it, and not the first line of the file
    with pytest.raises(LineNotCorrectable, match="no line of a text"):
        correct_line(bad, text="OFXHEADER:200", actor=ACTOR, reason="Told.")


def test_processor_may_be_told_to_refuse(processor):
    processor.on_bad_line = "atomic"
    processor.save()

    with pytest.raises(FileRefused, match="bad_lines"):
        file_of(processor)

    assert not StatementLine.objects.exists()


def test_pending_entries_of_a_bank_are_no_fault():
    GatewayFactory()
    _, bank = define_sources()

    file = load(bank, camt(entry("5.00"), entry("6.00", status="PDNG")))

    assert (file.status, file.rejected_count) == ("LOADED", 1)
    assert file.rejected.get().resolution == "NOT_BOOKED"


def test_account_with_lines_in_quarantine_cannot_be_signed_off(processor, capsys):
    file = file_of(processor)
    account = SourceAccount.objects.get(source=processor)

    (obstacle,) = obstacles_to_sign_off(account, day=DAY)
    reconcile()
    capsys.readouterr()
    call_command("tieout", "--source", "sim")

    assert obstacle == f"{file.public_id} (file) has lines in quarantine: 3, 5"
    assert f"not to be signed off: {obstacle}" in capsys.readouterr().out

    for bad in bad_lines(file):
        discard_line(bad, actor=ACTOR, reason="Told.")
    assert obstacles_to_sign_off(account, day=DAY) == []


def test_discrepancy_of_a_bad_line_ends_with_it(processor):
    file = file_of(processor)
    run = reconcile()
    assert run.opened.filter(type="unparsed_line").count() == 2

    first, second = bad_lines(file)
    correct(first, line(2))
    discard_line(second, actor=ACTOR, reason="Told.")
    again = reconcile()

    assert again.resolved.filter(type="unparsed_line").count() == 2


def test_refused_file_is_tried_again_when_it_is_sent_again():
    GatewayFactory()
    _, bank = define_sources()
    account = bank.accounts.get()
    account.identifier = "DE00000000000000000000"
    account.save()
    statement = bank_of()
    statement.book(eur("5.00"), counterparty="Coffee", text="COFFEE")
    content = statement.statement()
    with pytest.raises(FileRefused, match="unknown_account"):
        load(bank, content)

    account.identifier = "DE02120300000000202051"
    account.save()
    file, is_known = import_statement(bank, io.BytesIO(content), name="a.xml", actor=ACTOR)

    assert (file.status, file.line_count, is_known) == ("LOADED", 1, False)
    assert StatementFile.objects.count() == 1
    event = AuditEvent.objects.get(action="statement_file.tried_again")
    assert event.before["refusal_code"] == "unknown_account"
