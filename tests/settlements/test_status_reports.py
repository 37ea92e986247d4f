"""The bank's answers (pain.002): read as they come, applied once, and never believed twice."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ledger.actors import Actor
from settlements.errors import PayoutFileNotFound, StatusReportInvalid
from settlements.invariants import illegal_payouts
from settlements.models import Payout, PayoutAttempt, PayoutFile, SettlementBatch
from settlements.rails.bank_ids import bank_id
from settlements.rails.pain_002 import StatusReport, Verdict, read_status_report
from settlements.services.batches import run_settlement
from settlements.services.payouts import approve_payouts, mark_paid
from settlements.services.status_reports import import_status_report
from tests.factories import MerchantFactory, SucceededPaymentFactory, eur
from tests.support.books import balance
from tests.support.payouts import CHECKER, MAKER, approved, file_of, sent
from tests.support.reports import DAY, bank_of

SYSTEM = Actor.system("settlement")
VERSIONS = ("pain.002.001.03", "pain.002.001.10", "pain.002.001.12")


def report(
    message: str,
    *transfers: tuple[str, str],
    group: str = "",
    block: str = "",
    code: str = "AC04",
    block_id: str | None = None,
    version: str = VERSIONS[1],
) -> bytes:
    """A pain.002 about a message: transfers are (end-to-end id, status)."""
    why = f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn><AddtlInf>Told</AddtlInf></StsRsnInf>"
    nodes = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{name}</OrgnlEndToEndId><TxSts>{status}</TxSts>"
        f"{why if status == 'RJCT' else ''}</TxInfAndSts>"
        for name, status in transfers
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{version}"><CstmrPmtStsRpt>
<GrpHdr><MsgId>BANK-1</MsgId><CreDtTm>2026-03-19T12:00:00Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId><OrgnlMsgNmId>pain.001</OrgnlMsgNmId>
{f"<GrpSts>{group}</GrpSts>{why if group == 'RJCT' else ''}" if group else ""}</OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>{block_id or message}</OrgnlPmtInfId>
{f"<PmtInfSts>{block}</PmtInfSts>{why if block == 'RJCT' else ''}" if block else ""}{nodes}
</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>""".encode()


def due(*amounts: str) -> list[Payout]:
    for amount in amounts:
        payment = SucceededPaymentFactory(merchant=MerchantFactory(), money=eur(amount))
    run_settlement(payment.effective_at.date(), actor=SYSTEM)
    return list(Payout.objects.select_related("merchant").order_by("pk"))


def with_bank(*amounts: str) -> tuple[PayoutFile, list[Payout]]:
    """A payout of each amount, all in one file the bank has."""
    payouts = due(*amounts)
    file, _ = sent(payouts)
    return file, payouts


def statuses() -> list[str]:
    return list(Payout.objects.order_by("pk").values_list("status", flat=True))


# --- Reading -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("svapnil-iso20022-js__pain_002_credit_accepted.xml", ("ACTC", "ACTC", ["ACSP"], set())),
        (
            "svapnil-iso20022-js__pain_002_transaction_rejected.xml",
            ("ACTC", "RJCT", ["RJCT"] * 3, {"NARR"}),
        ),
    ],
)
def test_corpus_reads_as_its_index_says(name: str, expected: tuple[Any, ...]) -> None:
    path = Path(os.environ.get("TIEOUT_CORPUS", "/nonexistent")) / "pain002" / name
    if not path.exists():
        pytest.skip("TIEOUT_CORPUS is not set: the real files were not read")

    found = read_status_report(path.read_bytes())

    (block,) = found.blocks
    transfers = [each.verdict for each in found.transfers]
    codes = {verdict.code for verdict in transfers if verdict.code}
    assert expected == (
        found.verdict.status,
        block.verdict.status,
        [verdict.status for verdict in transfers],
        codes,
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_versions_read_alike(version: str) -> None:
    content = report("pf1", ("mpo1", "RJCT"), group="PART", version=version)

    found = read_status_report(content)

    assert found == read_status_report(content.replace(b' xmlns="urn', b' data="urn'))
    assert isinstance(found, StatusReport)
    (transfer,) = found.transfers
    assert transfer.verdict == Verdict("RJCT", "AC04", "Told")
    assert found.verdict == Verdict("PART")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"hello", id="no XML"),
        pytest.param(report("pf1")[:-30], id="cut short"),
        pytest.param(b"<Document><CstmrCdtTrfInitn/></Document>", id="a pain.001"),
        pytest.param(b"<Document><CstmrPmtStsRpt/></Document>", id="about nothing"),
        pytest.param(
            b"<Document><CstmrPmtStsRpt><OrgnlGrpInfAndSts/></CstmrPmtStsRpt></Document>",
            id="about no message",
        ),
        pytest.param(
            b'<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
            + report("&x;").partition(b"?>")[2],
            id="an entity of outside",
        ),
        pytest.param(
            b'<!DOCTYPE D [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
            + report("&b;").partition(b"?>")[2],
            id="entities of entities",
        ),
        pytest.param(b"<Document>" * 300 + b"</Document>" * 300, id="deeply nested"),
    ],
)
def test_what_is_no_status_report_is_refused(content: bytes) -> None:
    with pytest.raises(StatusReportInvalid):
        read_status_report(content)


# --- Applying ----------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("books")
@pytest.mark.parametrize("status", ["ACTC", "ACCP", "ACSP", "ACSC", "ACWC"])
def test_accepted_file_moves_no_payout(status: str) -> None:
    file, payouts = with_bank("100.00", "200.00")
    transfers = [(bank_id(payout.public_id), status) for payout in payouts]

    outcome = import_status_report(
        report(bank_id(file.public_id), *transfers, group=status, block=status), actor=MAKER
    )

    assert (outcome.file.status, outcome.rejected, outcome.oddities) == ("ACCEPTED", [], [])
    assert statuses() == ["SENT", "SENT"]


@pytest.mark.django_db
@pytest.mark.usefixtures("books")
def test_one_transfer_refused_is_due_again_and_the_others_go_on() -> None:
    file, (first, second) = with_bank("100.00", "200.00")
    name = bank_id(second.public_id).upper()

    outcome = import_status_report(
        report(bank_id(file.public_id), (name, "RJCT"), group="PART", block="PART"), actor=MAKER
    )

    (again,) = outcome.due_again
    assert (again.batch, again.requested_by) == (second.batch, "user:maker")
    assert statuses() == ["SENT", "REJECTED", "PENDING_APPROVAL"]
    assert outcome.file.status == "PARTIAL"
    attempt = PayoutAttempt.objects.get(payout=second)
    assert (attempt.is_live, attempt.reason_code, attempt.reason) == (False, "AC04", "Told")
    assert PayoutAttempt.objects.get(payout=first).is_live
    assert (balance("payouts:due:EUR"), balance("payouts:in_transit:EUR")) == ("193.90", "96.80")
    assert not illegal_payouts()


@pytest.mark.django_db
@pytest.mark.usefixtures("books")
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"group": "RJCT"}, id="the group, without transfers"),
        pytest.param({"group": "ACTC", "block": "RJCT"}, id="the block of an accepted group"),
    ],
)
def test_whole_file_refused(answer: dict[str, str]) -> None:
    file, _ = with_bank("100.00", "200.00")

    outcome = import_status_report(report(bank_id(file.public_id), **answer), actor=MAKER)

    assert outcome.file.status == "REJECTED"
    assert statuses() == ["REJECTED"] * 2 + ["PENDING_APPROVAL"] * 2
    assert balance("payouts:in_transit:EUR") == "0.00"
    batches = SettlementBatch.objects.values_list("status", flat=True)
    assert set(batches) == {"FAILED"}
    assert not illegal_payouts()


@pytest.mark.django_db
@pytest.mark.usefixtures("books")
def test_transfers_own_status_counts_more_than_that_of_the_block() -> None:
    file, (first, _) = with_bank("100.00", "200.00")
    own = (bank_id(first.public_id), "ACSP")

    import_status_report(
        report(bank_id(file.public_id), own, group="PART", block="RJCT"), actor=MAKER
    )

    assert statuses() == ["SENT", "REJECTED", "PENDING_APPROVAL"]


@pytest.mark.django_db
@pytest.mark.usefixtures("books")
def test_same_report_again_changes_nothing() -> None:
    file, _ = with_bank("100.00")
    answer = report(bank_id(file.public_id), group="RJCT")
    import_status_report(answer, actor=MAKER)
    before = list(Payout.objects.values()), list(PayoutFile.objects.values("status"))

    outcome = import_status_report(answer, actor=MAKER)

    assert (outcome.rejected, outcome.due_again, outcome.oddities) == ([], [], [])
    assert (list(Payout.objects.values()), list(PayoutFile.objects.values("status"))) == before


@pytest.mark.django_db
@pytest.mark.usefixtures("books")
def test_refusal_of_a_duplicate_pays_nobody_twice() -> None:
    """The bank got the file twice and says so; the first copy is being paid."""
    file, _ = with_bank("100.00")

    outcome = import_status_report(
        report(bank_id(file.public_id), group="RJCT", code="DU01"), actor=MAKER
    )

    assert statuses() == ["SENT"]
    (oddity,) = outcome.oddities
    assert "DU01" in oddity


@pytest.mark.django_db
@pytest.mark.usefixtures("books")
def test_unknown_names_and_statuses_are_said_and_move_nothing() -> None:
    file, (payout,) = with_bank("100.00")
    stranger = f"mpo{'0' * 32}"
    transfers = [(stranger, "RJCT"), ("NOTPROVIDED", "RJCT"), (bank_id(payout.public_id), "WHAT")]

    outcome = import_status_report(
        report(bank_id(file.public_id), *transfers, block="RJCT", block_id="SOMETHING"),
        actor=MAKER,
    )

    assert outcome.oddities == [
        "there is no block 'SOMETHING'",
        f"there is no transfer {stranger!r}",
        "there is no transfer 'NOTPROVIDED'",
        "status 'WHAT' means nothing to us",
    ]
    assert (statuses(), outcome.file.status) == (["SENT"], "SENT")


@pytest.mark.django_db
def test_answer_to_a_message_that_is_not_ours_is_refused() -> None:
    with_bank("100.00")

    for message in ("missing2", f"pf{'0' * 32}"):
        with pytest.raises(PayoutFileNotFound):
            import_status_report(report(message, group="RJCT"), actor=MAKER)

    assert statuses() == ["SENT"]


@pytest.mark.django_db
@pytest.mark.usefixtures("books")
def test_statement_counts_more_than_a_late_refusal() -> None:
    file, (payout,) = with_bank("100.00")
    mark_paid({payout.pk: DAY})

    outcome = import_status_report(report(bank_id(file.public_id), group="RJCT"), actor=MAKER)

    assert statuses() == ["PAID"]
    assert outcome.oddities == [f"{payout.public_id} is PAID, and this report refuses it"]


@pytest.mark.django_db
@pytest.mark.usefixtures("books")
def test_file_the_bank_answers_was_handed_over() -> None:
    file = file_of(approved(due("100.00")))

    outcome = import_status_report(report(bank_id(file.public_id), group="ACCP"), actor=MAKER)

    assert (statuses(), outcome.file.status) == (["SENT"], "ACCEPTED")
    assert outcome.oddities == [f"{file} was never handed over, and the bank answers it"]
    assert balance("payouts:in_transit:EUR") == "96.80"


@pytest.mark.django_db
@pytest.mark.usefixtures("books")
def test_simulated_bank_pays_what_it_takes_and_answers_as_real_ones_do() -> None:
    _, (first, second) = with_bank("100.00", "200.00")
    bank = bank_of()
    content = bytes(PayoutFile.objects.get().content)

    answer = bank.take(content, refused=[bank_id(second.public_id)], code="AC04")
    again = bank.take(content, refused=[bank_id(second.public_id)], code="AC04")
    outcome = import_status_report(answer, actor=MAKER)

    assert again == answer
    assert [attempt.payout for attempt in outcome.rejected] == [second]
    assert outcome.file.status == "PARTIAL"
    statement = bank.statement().decode()
    assert statement.count("<Ntry>") == 1
    assert bank_id(first.public_id) in statement
    # What is due again goes in a file of its own, under an id of its own.
    approve_payouts(outcome.due_again, actor=CHECKER)
    retried = file_of(outcome.due_again)
    assert retried.attempts.get().payout == outcome.due_again[0]


@pytest.mark.django_db
def test_command_applies_an_answer_and_says_what_is_odd(tmp_path: Path, capsys: Any) -> None:
    file, (payout,) = with_bank("100.00")
    path = tmp_path / "answer.xml"
    path.write_bytes(report(bank_id(file.public_id), ("x", "RJCT"), group="RJCT"))

    call_command("import_payout_status", str(path))

    said = capsys.readouterr().out
    assert f"{file} is REJECTED." in said
    assert f"{payout} rejected (AC04)" in said
    assert "odd: there is no transfer 'x'" in said
    path.write_bytes(b"no XML")
    with pytest.raises(CommandError, match="status_report_invalid"):
        call_command("import_payout_status", str(path))
