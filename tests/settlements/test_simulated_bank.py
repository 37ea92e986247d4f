"""The simulated bank: pays orders once, checks them as a bank does, states what it booked."""

import os
from pathlib import Path

import pytest
from lxml import etree

from ledger.money import Money
from settlements.models import SimulatedBankEntry
from settlements.rails.orders import NamedAccount, PaymentOrder, Transfer
from settlements.rails.pain_001 import render_pain_001
from settlements.rails.pain_002 import read_status_report
from settlements.rails.safe_xml import UnreadableMessage
from settlements.rails.simulated_bank import OrderRefused
from tests.factories import eur
from tests.support.entries import NOON
from tests.support.payouts import SHOP_IBAN
from tests.support.reports import DAY, IBAN, bank_of

pytestmark = pytest.mark.django_db


def order(*amounts: str, iban: str = IBAN) -> bytes:
    shop = NamedAccount("Shop", SHOP_IBAN, "")
    transfers = [
        Transfer(f"mpo{number}", Money.of(amount, "EUR"), shop, f"Settlement {number}")
        for number, amount in enumerate(amounts, start=1)
    ]
    ours = NamedAccount("Tieout GmbH", iban, "")
    return render_pain_001(PaymentOrder("pf1", NOON, DAY, "EUR", ours, tuple(transfers)))


def booked() -> list[tuple[str, str]]:
    return [(entry.end_to_end_id, entry.money.text) for entry in SimulatedBankEntry.objects.all()]


def test_order_is_carried_out_once() -> None:
    bank = bank_of()

    answers = [bank.take(order("10.00", "20.50")) for _ in range(2)]

    assert booked() == [("mpo1", "-10.00"), ("mpo2", "-20.50")]
    assert answers[0] == answers[1]
    report = read_status_report(answers[0])
    assert (report.original_message_id, report.verdict.status) == ("pf1", "ACCP")
    assert [each.verdict.status for each in report.transfers] == ["ACSC", "ACSC"]


def test_what_is_refused_is_not_booked() -> None:
    report = read_status_report(bank_of().take(order("10.00", "20.50"), refused=["mpo1"]))

    assert booked() == [("mpo2", "-20.50")]
    assert [(each.end_to_end_id, each.verdict.code) for each in report.transfers] == [
        ("mpo1", "AC04"),
        ("mpo2", ""),
    ]


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (order("10.00").replace(b"<NbOfTxs>1", b"<NbOfTxs>2"), OrderRefused),
        (order("10.00").replace(b"<CtrlSum>10.00", b"<CtrlSum>10.01"), OrderRefused),
        (order("10.00", iban="DE89370400440532013000"), OrderRefused),
        (b"<Document/>", UnreadableMessage),
    ],
)
def test_order_that_contradicts_itself_is_refused(content: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        bank_of().take(content)

    assert booked() == []


def test_payment_comes_back_with_its_reason_on_a_valid_statement() -> None:
    bank = bank_of()
    bank.take(order("10.00"))
    name = bank.give_back("mpo1", "AC04")

    statement = bank.statement()

    assert booked() == [("mpo1", "-10.00"), ("mpo1", "10.00")]
    (credit,) = SimulatedBankEntry.objects.filter(amount__gt=0)
    assert (credit.name, credit.return_code, credit.money) == (name, "AC04", eur("10.00"))
    assert b"<RtrInf>" in statement
    schema = Path(os.environ.get("TIEOUT_CORPUS", "/nonexistent"))
    schema /= "xsd/genkgo-camt__camt.053.001.08.xsd"
    if schema.exists():
        official = etree.XMLSchema(etree.parse(schema))
        assert official.validate(etree.fromstring(statement)), official.error_log
