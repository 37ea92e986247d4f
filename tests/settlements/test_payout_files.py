"""Payout files: what a bank takes, byte for byte, and each payout in one of them."""

import csv
import io
import os
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ledger.actors import Actor
from ledger.errors import InvalidTransition
from ledger.models import AuditEvent
from ledger.money import Money
from ledger.services.audit import ReasonMissing
from settlements.errors import (
    BankAccountChanging,
    BankAccountMissing,
    PayoutFileClosed,
    PayoutFileInvalid,
    PayoutInFile,
)
from settlements.invariants import illegal_payouts
from settlements.models import Payout, PayoutFile
from settlements.rails.bank_ids import bank_id, public_id
from settlements.rails.orders import NamedAccount, PaymentOrder, Transfer
from settlements.rails.pain_001 import NAMESPACE, render_pain_001
from settlements.rails.payment_csv import COLUMNS, render_payment_csv
from settlements.rails.sepa_text import sepa_text
from settlements.services.bank_accounts import ask_for_bank_account
from settlements.services.batches import run_settlement
from settlements.services.payout_files import (
    hand_over_payout_file,
    make_payout_file,
    make_payout_files,
    rendered,
    withdraw_payout_file,
)
from settlements.services.payouts import approve_payouts
from tests.factories import MerchantFactory, SucceededPaymentFactory, eur
from tests.support.entries import NOON
from tests.support.payouts import (
    CHECKER,
    MAKER,
    OTHER_IBAN,
    SHOP_IBAN,
    approved,
    bank_account,
    debtor,
    file_of,
    sent,
)

SYSTEM = Actor.system("settlement")
TODAY = timezone.now().date()
ID = "0192f0c1e0b87c4d9a3e5b6f7a8c9d0e"
SEPA = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    """The official schema; TIEOUT_CORPUS names the folder it is in."""
    corpus = os.environ.get("TIEOUT_CORPUS")
    path = Path(corpus or "/nonexistent") / "xsd" / "raphaelm-python-sepaxml__pain.001.001.09.xsd"
    if not path.exists():
        pytest.skip("TIEOUT_CORPUS has no pain.001.001.09.xsd")
    return etree.XMLSchema(etree.parse(path))


def order(*transfers: tuple[Money, NamedAccount], bic: str = "BYLADEM1001") -> PaymentOrder:
    return PaymentOrder(
        message_id=f"pf{ID}",
        created_at=NOON,
        execution_on=date(2026, 3, 3),
        currency=transfers[0][0].currency,
        debtor=NamedAccount("Tieout GmbH", "DE02120300000000202051", bic),
        transfers=tuple(
            Transfer(f"mpo{ID[:-2]}{number:02}", money, creditor, f"Settlement {number}")
            for number, (money, creditor) in enumerate(transfers)
        ),
    )


def texts(content: bytes, path: str) -> list[str]:
    """The texts of all elements at a path of names."""
    steps = "/".join(f"{{{NAMESPACE}}}{name}" for name in path.split("/"))
    return [each.text for each in etree.fromstring(content).findall(f".//{steps}")]


def due(*amounts: str) -> list[Payout]:
    for amount in amounts:
        payment = SucceededPaymentFactory(merchant=MerchantFactory(), money=eur(amount))
    run_settlement(payment.effective_at.date(), actor=SYSTEM)
    return list(Payout.objects.select_related("merchant").order_by("pk"))


# --- The formats, without a database -----------------------------------------------------------


@pytest.mark.parametrize(
    "money", [Money(1, "EUR"), Money(123_45, "USD"), Money(12_345, "JPY"), Money(1_234, "KWD")]
)
@pytest.mark.parametrize("bic", ["", "ABNANL2A", "ABNANL2AXXX"])
def test_pain_001_is_valid_by_the_official_schema(
    schema: etree.XMLSchema, money: Money, bic: str
) -> None:
    content = render_pain_001(order((money, NamedAccount("Ł", SHOP_IBAN, bic)), bic=bic))

    assert schema.validate(etree.fromstring(content)), schema.error_log


@given(
    holder=st.text(min_size=1, max_size=90),
    amounts=st.lists(st.integers(1, 10**13), min_size=1, max_size=20),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
)
def test_pain_001_counts_and_adds_up_and_stays_in_the_character_set(
    holder: str, amounts: list[int], currency: str
) -> None:
    account = NamedAccount(holder, SHOP_IBAN, "")

    content = render_pain_001(order(*((Money(each, currency), account) for each in amounts)))

    paid = [Decimal(each) for each in texts(content, "InstdAmt")]
    assert texts(content, "NbOfTxs") == [str(len(amounts))] * 2
    assert [Decimal(each) for each in texts(content, "CtrlSum")] == [sum(paid)] * 2
    assert sum(paid) == Money(sum(amounts), currency).decimal
    names = texts(content, "Cdtr/Nm")
    assert all(set(name or "") <= SEPA and len(name or "") <= 70 for name in names)


def test_same_order_gives_the_same_bytes() -> None:
    same = [order((Money(100, "EUR"), NamedAccount("Shop", SHOP_IBAN, ""))) for _ in range(2)]

    assert len({render_pain_001(each) for each in same}) == 1
    assert len({render_payment_csv(each) for each in same}) == 1


def test_pain_001_says_how_and_when_to_pay() -> None:
    content = render_pain_001(order((Money(96_80, "EUR"), NamedAccount("Käse", SHOP_IBAN, ""))))

    said = {
        path: texts(content, path)
        for path in ("MsgId", "PmtInfId", "CreDtTm", "BtchBookg", "SvcLvl/Cd", "ReqdExctnDt/Dt")
    }
    assert said == {
        "MsgId": [f"pf{ID}"],
        "PmtInfId": [f"pf{ID}"],
        "CreDtTm": ["2026-03-02T12:00:00Z"],
        "BtchBookg": ["false"],
        "SvcLvl/Cd": ["SEPA"],
        "ReqdExctnDt/Dt": ["2026-03-03"],
    }
    assert texts(content, "EndToEndId") == [f"mpo{ID[:-2]}00"]
    assert texts(content, "Cdtr/Nm") == ["Kase"]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Söhne & Größe", "Sohne + Grosse"),
        ("Łódź, Ørsted; “Æsir”", "Lodz, Orsted, 'AEsir'"),
        ("ΑΘΗΝΑ Οδός", "AThINA Odos"),
        ("Българска Фирма", "Balgarska Firma"),
        ("a_b@c\n\td™", "a-b(at)c dTM"),
        ("株式会社 Kabu", ".... Kabu"),
    ],
)
def test_text_is_written_as_every_bank_takes_it(text: str, written: str) -> None:
    assert sepa_text(text, 70) == written


def test_ids_fit_banks_and_come_back_from_them() -> None:
    ours = f"mpo_{ID}"

    assert (bank_id(ours), len(bank_id(ours))) == (f"mpo{ID}", 35)
    for text in (f"mpo{ID}", f"MPO{ID.upper()}", ours, f" mpo{ID} "):
        assert public_id(text, "mpo") == ours
    for text in ("", "NOTPROVIDED", f"pf{ID}", f"mpo{ID}0", f"mpo{ID[:-1]}", f"mpo{ID[:-1]}g"):
        assert public_id(text, "mpo") == ""


def test_csv_has_a_row_per_transfer_and_runs_in_no_spreadsheet() -> None:
    accounts = [NamedAccount("Shop, Ltd", SHOP_IBAN, ""), NamedAccount("+1 (cmd)", OTHER_IBAN, "")]
    content = render_payment_csv(order(*((Money(100, "EUR"), each) for each in accounts)))

    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))

    assert tuple(rows[0]) == COLUMNS
    assert [row["creditor_name"] for row in rows] == ["Shop, Ltd", "'+1 (cmd)"]
    assert [row["amount"] for row in rows] == ["1.00", "1.00"]


# --- Files and payouts -------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("books")
@pytest.mark.parametrize("format", PayoutFile.Format.values)
def test_file_is_kept_and_can_be_made_anew_byte_for_byte(format: str) -> None:
    file = file_of(approved(due("100.00", "200.00")), format=format)

    stored = PayoutFile.objects.select_related("debtor").get()

    assert stored == file
    assert rendered(stored) == bytes(stored.content)
    assert (stored.payout_count, stored.control_sum, stored.status) == (2, 290_70, "CREATED")
    assert not illegal_payouts()


@pytest.mark.django_db
def test_file_of_many_is_valid_by_the_official_schema(schema: etree.XMLSchema) -> None:
    _, content = sent(due("100.00", "200.00", "300.00"))

    assert schema.validate(etree.fromstring(content)), schema.error_log
    assert texts(content, "EndToEndId") == [
        bank_id(payout.public_id) for payout in Payout.objects.order_by("pk")
    ]


@pytest.mark.django_db
@pytest.mark.usefixtures("books")
def test_payouts_are_in_transit_once_somebody_has_the_bytes() -> None:
    file = file_of(approved(due("100.00")))
    assert Payout.objects.get().status == "APPROVED"

    first = hand_over_payout_file(file, actor=MAKER)
    second = hand_over_payout_file(file, actor=CHECKER)

    payout = Payout.objects.get()
    assert (first == second, payout.status, payout.bank_account.iban) == (True, "SENT", SHOP_IBAN)
    assert PayoutFile.objects.get().status == "SENT"
    taken = AuditEvent.objects.filter(action="payout_file.handed_over").order_by("pk")
    assert [event.actor_label for event in taken] == ["maker", "checker"]


@pytest.mark.django_db
def test_same_payout_is_in_no_second_file_until_the_first_is_withdrawn() -> None:
    payouts = approved(due("100.00", "200.00"))
    file = file_of(payouts[:1])

    with pytest.raises(PayoutInFile):
        file_of(payouts)
    with pytest.raises(ReasonMissing):
        withdraw_payout_file(file, actor=MAKER, reason="")
    withdraw_payout_file(file, actor=MAKER, reason="One was missing.")

    assert file_of(payouts).payout_count == 2
    with pytest.raises(PayoutFileClosed):
        hand_over_payout_file(file, actor=MAKER)
    assert set(Payout.objects.values_list("status", flat=True)) == {"APPROVED"}
    assert not illegal_payouts()


@pytest.mark.django_db
def test_file_that_left_is_not_withdrawn() -> None:
    file, _ = sent(due("100.00"))

    with pytest.raises(PayoutFileClosed):
        withdraw_payout_file(file, actor=MAKER, reason="Too late.")

    assert Payout.objects.get().status == "SENT"


@pytest.mark.django_db
def test_change_of_account_holds_payouts_in_no_file_and_in_one_nobody_has() -> None:
    payouts = approved(due("100.00", "200.00"))
    file = file_of(payouts[:1])
    wishes = NamedAccount("Thief", OTHER_IBAN, "")
    for payout in payouts:
        ask_for_bank_account(payout.merchant, wishes, currency="EUR", actor=MAKER)

    with pytest.raises(BankAccountChanging):
        hand_over_payout_file(file, actor=MAKER)
    with pytest.raises(BankAccountChanging):
        file_of(payouts[1:])

    made = make_payout_files(currency="EUR", execution_on=TODAY, format="csv", actor=MAKER)
    assert made == []
    assert set(Payout.objects.values_list("status", flat=True)) == {"APPROVED"}


@pytest.mark.django_db
def test_what_cannot_go_makes_no_file() -> None:
    first, second = due("100.00", "200.00")
    with pytest.raises(InvalidTransition):
        file_of([first])
    approve_payouts([first, second], actor=CHECKER)
    with pytest.raises(BankAccountMissing):
        file_of([first])
    bank_account(first.merchant)
    with pytest.raises(PayoutFileInvalid):
        file_of([])
    with pytest.raises(PayoutFileInvalid):
        file_of([first], on=TODAY - timedelta(days=2))

    (file,) = make_payout_files(
        currency="EUR", execution_on=TODAY, format="pain.001.001.09", actor=MAKER
    )

    assert [attempt.payout for attempt in file.attempts.all()] == [first]
    assert PayoutFile.objects.count() == 1


@pytest.mark.django_db
def test_file_has_one_currency() -> None:
    merchant = MerchantFactory(fees={"EUR": (290, 30), "USD": (290, 30)})
    payment = SucceededPaymentFactory(merchant=merchant, money=Money(100_00, "USD"))
    run_settlement(payment.effective_at.date(), actor=SYSTEM)
    approvals = approve_payouts(Payout.objects.all(), actor=CHECKER)

    with pytest.raises(PayoutFileInvalid):
        make_payout_file(
            approvals.approved, debtor=debtor(), execution_on=TODAY, format="csv", actor=MAKER
        )


@pytest.mark.django_db
def test_command_writes_what_can_go_and_writes_it_again(
    tmp_path: Path, settings: Any, capsys: Any
) -> None:
    settings.PAYOUT_APPROVAL_THRESHOLD = {"EUR": 1_000_00}
    debtor()
    for payout in due("100.00", "200.00"):
        bank_account(payout.merchant)

    call_command("make_payout_file", currency="EUR", output=tmp_path)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    path.unlink()
    call_command("make_payout_file", path.stem, output=tmp_path)

    assert path.read_bytes() == content
    assert path.suffix == ".xml"
    assert set(Payout.objects.values_list("status", flat=True)) == {"SENT"}
    assert "2 payouts, 290.70 EUR" in capsys.readouterr().out
    call_command("make_payout_file", currency="EUR", output=tmp_path)
    assert PayoutFile.objects.count() == 1
    with pytest.raises(CommandError, match="payout_file_not_found"):
        call_command("make_payout_file", "pf_1", output=tmp_path)
    with pytest.raises(CommandError, match="either"):
        call_command("make_payout_file", output=tmp_path)
