"""Payments and refunds of another system are loaded once, with all that their rows say."""

from datetime import UTC, date, datetime

import pytest

from ledger.errors import Busy
from ledger.models import JournalEntry
from payments.models import Merchant, Payment, Refund
from payments.services.imports import ImportCounts
from payments.services.merchants import register_merchant, set_fee_plan
from payments.services.processing import process_payments
from tests.factories import ALWAYS, eur
from tests.support.books import balances, t_accounts
from tests.support.histories import BACK, COLUMNS, OLD, PAID, YEN, load
from tests.support.races import run_together

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books", "spay")]
OLD_BACK = "R2,M1,refund,5.00,EUR,M1-S,2026-03-03T10:00:00Z,spay,,EUR,EUR,,M1-0,captured"


def counts(loaded: dict[str, ImportCounts]) -> dict[str, tuple[int, int, dict[str, str]]]:
    return {
        name: (count.created, count.known, count.as_dict()["sums"])
        for name, count in loaded.items()
    }


def test_payment_is_loaded_with_everything_its_row_says() -> None:
    set_fee_plan(
        register_merchant("M1"), currency="EUR", basis_points=290, fixed=30, valid_from=ALWAYS
    )

    load(PAID)

    payment = Payment.objects.get()
    at = datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert (payment.merchant.code, payment.gateway.code, payment.reference) == (
        "M1",
        "spay",
        "M1-A",
    )
    assert (payment.status, payment.money, payment.fee_money) == (
        "SUCCEEDED",
        eur("100.00"),
        eur("3.20"),
    )
    assert (payment.created_at, payment.effective_at, payment.due_at) == (at, at, None)
    assert (payment.processor_fee_expected, payment.processor_fee_currency) == (1_65, "EUR")
    assert (payment.settlement_currency, payment.settlement_due_on) == ("EUR", date(2026, 3, 4))
    assert (payment.is_settled_elsewhere, payment.metadata) == (False, {"payment_id": "P1"})
    assert payment.created_by == "system:tests"
    assert t_accounts(payment.public_id) == [
        ("debit", "clearing:spay:EUR", 100_00),
        ("credit", "merchant:M1:payable:EUR", 100_00),
        ("debit", "merchant:M1:payable:EUR", 3_20),
        ("credit", "income:fees:EUR", 3_20),
    ]
    assert JournalEntry.objects.get().effective_at == at


def test_payments_and_refunds_are_counted_and_summed_per_currency() -> None:
    loaded = load(PAID, YEN, OLD, BACK, OLD_BACK)

    assert counts(loaded) == {
        "payments": (3, 0, {"EUR": "170.00", "JPY": "5000"}),
        "refunds": (2, 0, {"EUR": "35.00"}),
    }
    assert Merchant.objects.count() == 2


def test_loading_again_changes_nothing() -> None:
    rows = PAID, YEN, OLD, BACK, OLD_BACK
    load(*rows)
    before = balances()

    loaded = load(*rows)

    assert counts(loaded) == {"payments": (0, 3, {}), "refunds": (0, 2, {})}
    assert (Payment.objects.count(), Refund.objects.count()) == (3, 2)
    assert balances() == before
    assert Payment.objects.get(reference="M1-A").amount_refunded == 30_00


def test_longer_file_adds_what_is_new() -> None:
    load(PAID)

    loaded = load(PAID, YEN, BACK)

    assert counts(loaded)["payments"] == (1, 1, {"JPY": "5000"})
    assert counts(loaded)["refunds"] == (1, 0, {"EUR": "30.00"})


def test_same_row_twice_in_a_file_is_loaded_once() -> None:
    loaded = load(PAID, PAID)

    assert counts(loaded)["payments"] == (1, 1, {"EUR": "100.00"})
    assert JournalEntry.objects.count() == 1


def test_settled_payment_posts_nothing_but_can_be_refunded() -> None:
    load(OLD)
    payment = Payment.objects.get()
    assert (payment.is_settled_elsewhere, payment.fee) == (True, 0)
    assert not JournalEntry.objects.exists()

    load(OLD, OLD_BACK)

    refund = Refund.objects.get()
    assert t_accounts(refund.public_id) == [
        ("debit", "merchant:M1:payable:EUR", 5_00),
        ("credit", "clearing:spay:EUR", 5_00),
    ]
    assert Payment.objects.get().refundable == eur("65.00")


def test_refund_may_stand_before_its_payment() -> None:
    load(BACK, PAID)

    refund = Refund.objects.get()
    assert (refund.payment.reference, refund.status) == ("M1-A", "SUCCEEDED")
    assert refund.payment.refundable == eur("70.00")
    assert refund.effective_at == datetime(2026, 3, 3, 10, tzinfo=UTC)


def test_imported_payments_are_no_work_for_anybody() -> None:
    load(PAID, OLD)

    assert process_payments() == 0


def test_same_reference_of_two_merchants_is_two_payments() -> None:
    loaded = load(PAID, PAID.replace("P1,M1", "P2,M2"))

    assert counts(loaded)["payments"] == (2, 0, {"EUR": "200.00"})


def test_same_id_of_two_merchants_is_two_payments() -> None:
    rows = PAID, PAID.replace("P1,M1", "P1,M2")
    load(*rows)

    loaded = load(*rows)

    assert counts(loaded)["payments"] == (0, 2, {})


def test_columns_are_found_by_name_in_any_order() -> None:
    names, values = COLUMNS.split(","), PAID.split(",")

    load(",".join(reversed(values)), columns=",".join(reversed(names)))

    assert Payment.objects.get().money == eur("100.00")


def test_optional_columns_may_be_missing() -> None:
    needed = "payment_id,merchant,type,amount,currency,reference,created_at,psp,status"

    load("P1,M1,payment,100.00,EUR,M1-A,2026-03-02T10:00:00,spay,captured", columns=needed)

    payment = Payment.objects.get()
    assert (payment.settlement_currency, payment.settlement_due_on) == ("EUR", None)
    assert payment.processor_fee_expected is None
    assert payment.effective_at == datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_columns_we_do_not_know_are_passed_over() -> None:
    load(f"Köln,{PAID},more,and more", columns=f"town,{COLUMNS}")

    assert Payment.objects.get().money == eur("100.00")


@pytest.mark.parametrize("rows_per_chunk", [1, 2, 5_000])
def test_chunks_do_not_show(rows_per_chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payments.services.imports.ROWS_PER_CHUNK", rows_per_chunk)
    monkeypatch.setattr("payments.services.imported_payments.ROWS_PER_STATEMENT", 2)
    more = BACK.replace("R1", "R3").replace("M1-R", "M1-T").replace("30.00", "70.00")
    rows = BACK, OLD_BACK, PAID, OLD, YEN, PAID, more

    loaded = load(*rows)

    assert counts(loaded) == {
        "payments": (3, 1, {"EUR": "170.00", "JPY": "5000"}),
        "refunds": (3, 0, {"EUR": "105.00"}),
    }
    assert Payment.objects.get(reference="M1-A").refundable == eur("0.00")
    assert sorted(balances().values()) == [
        *((0, 5_000), (5_000, 0)),  # what M2 is owed, in yen
        *((100_00, 105_00), (105_00, 100_00)),  # what M1 is, in euro
    ]


def test_progress_tells_what_was_read_and_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payments.services.imports.ROWS_PER_CHUNK", 3)
    told = []

    load(
        *(BACK, PAID, YEN, OLD, OLD_BACK),
        on_progress=lambda progress: told.append((progress.rows_loaded, progress.rows_read)),
    )

    assert told == [(3, 5), (5, 5)]


@pytest.mark.django_db(transaction=True)
def test_same_file_twice_at_once_is_loaded_once() -> None:
    outcomes = run_together(lambda: load(PAID, BACK), lambda: load(PAID, BACK))

    loaded = [outcome for outcome in outcomes if not isinstance(outcome, Busy)]
    assert counts(loaded[0])["payments"][:2] in [(1, 0), (0, 1)]
    assert (Payment.objects.count(), Refund.objects.count()) == (1, 1)
    assert JournalEntry.objects.count() == 2
    assert counts(load(PAID, BACK)) == {"payments": (0, 1, {}), "refunds": (0, 1, {})}


def test_the_price_of_the_payments_day_counts() -> None:
    merchant = register_merchant("M1")
    set_fee_plan(merchant, currency="EUR", basis_points=100, valid_from=date(2026, 1, 1))
    set_fee_plan(merchant, currency="EUR", basis_points=900, valid_from=date(2026, 4, 1))

    load(PAID)

    assert Payment.objects.get().fee == 1_00
