"""import_payments: history from another system, loaded once, with its ledger entries."""

import io
import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ledger.errors import Busy, Invalid
from ledger.models import JournalEntry
from ledger.services.periods import close_period, define_periods
from payments.history import RowRefused
from payments.models import Merchant, Payment, Refund
from payments.services.imports import ImportCounts, import_payments
from payments.services.merchants import register_merchant, set_fee_plan
from payments.services.processing import process_payments
from tests.factories import ACTOR, ALWAYS, GatewayFactory, eur
from tests.support.books import balances, t_accounts
from tests.support.races import run_together

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

COLUMNS = (
    "payment_id,merchant,type,amount,currency,reference,created_at,psp,expected_fee,fee_currency,"
    "settlement_currency,expected_settlement_date,parent_reference,status"
)
PAID = "P1,M1,payment,100.00,EUR,M1-A,2026-03-02T10:00:00Z,spay,1.65,EUR,EUR,2026-03-04,,captured"
YEN = "P2,M2,payment,5000,JPY,M2-A,2026-03-02T11:00:00Z,spay,,,EUR,2026-03-04,,captured"
OLD = "H1,M1,payment,70.00,EUR,M1-0,2026-01-02T10:00:00Z,spay,,EUR,EUR,,,settled"
BACK = "R1,M1,refund,30.00,EUR,M1-R,2026-03-03T10:00:00Z,spay,0.00,EUR,EUR,2026-03-05,M1-A,captured"
OLD_BACK = "R2,M1,refund,5.00,EUR,M1-S,2026-03-03T10:00:00Z,spay,,EUR,EUR,,M1-0,captured"


@pytest.fixture(autouse=True)
def spay() -> None:
    GatewayFactory(code="spay", adapter="none")


def load(*rows: str, columns: str = COLUMNS, **options: Any) -> dict[str, ImportCounts]:
    file = io.StringIO("\n".join([columns, *rows]) + "\n")
    return import_payments(file, actor=ACTOR, **options)


def counts(loaded: dict[str, ImportCounts]) -> dict[str, tuple[int, int, dict[str, str]]]:
    return {
        name: (count.created, count.known, count.as_dict()["sums"])
        for name, count in loaded.items()
    }


def nothing_is_loaded() -> bool:
    return not any(model.objects.exists() for model in (Payment, Refund, Merchant, JournalEntry))


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


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (PAID.replace("100.00", "1e2"), "'1e2' is not a plain decimal number"),
        (PAID.replace("100.00", "100.001"), "more decimals than EUR"),
        (PAID.replace("100.00", "-5.00"), "-5.00 EUR is not positive"),
        (PAID.replace("100.00", "0"), "0.00 EUR is not positive"),
        (PAID.replace("100.00", ""), "'' is not a plain decimal number"),
        (PAID.replace("100.00,EUR", "100.00,eur"), "'eur' is not an ISO 4217 currency"),
        (PAID.replace("payment", "chargeback"), "type is 'chargeback'"),
        (PAID.replace("captured", "pending"), "status is 'pending'"),
        (PAID.replace("spay", "unknown"), "there is no gateway 'unknown'"),
        (PAID.replace("2026-03-02T", "2026-02-30T"), "day is out of range"),
        (PAID.replace("2026-03-04", "04.03.2026"), "Invalid isoformat"),
        (PAID.replace("M1-A", ""), "reference is empty"),
        (PAID.replace("P1", ""), "payment_id is empty"),
        (PAID.replace("1.65", "1.655"), "more decimals than EUR"),
        ("P1,M1,payment", "status is ''"),
        (BACK.replace(",M1-A,captured", ",,captured"), "a refund needs its payment's reference"),
        (BACK.replace("captured", "settled"), "settled elsewhere is not loaded"),
    ],
)
def test_bad_row_names_its_line_and_nothing_is_loaded(bad: str, problem: str) -> None:
    with pytest.raises(RowRefused) as refusal:
        load(YEN, bad, OLD)

    assert str(refusal.value).startswith("Line 3: ")
    assert problem in str(refusal.value)
    assert refusal.value.code == "row_refused"
    assert nothing_is_loaded()


def test_missing_columns_are_named() -> None:
    with pytest.raises(Invalid, match=r"The columns currency, psp are missing\."):
        load("", columns=COLUMNS.replace("psp,", "").replace(",currency,", ","))

    assert nothing_is_loaded()


def test_other_content_under_a_known_id_is_refused() -> None:
    load(PAID)
    before = balances()

    with pytest.raises(RowRefused, match="Line 2: P1 was loaded before with other content"):
        load(PAID.replace("100.00", "100.01"))

    assert balances() == before
    assert Payment.objects.get().money == eur("100.00")


@pytest.mark.parametrize("rows_per_chunk", [1, 5_000])
@pytest.mark.parametrize(
    ("twice", "line", "reference"),
    [
        ([PAID, YEN, PAID.replace("P1", "P9")], 4, "M1-A"),
        ([PAID, BACK, YEN, BACK.replace("R1", "R9")], 5, "M1-R"),
    ],
    ids=["payment", "refund"],
)
def test_reference_that_occurs_twice_is_refused_with_its_line(
    twice: list[str],
    line: int,
    reference: str,
    rows_per_chunk: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("payments.services.imports.ROWS_PER_CHUNK", rows_per_chunk)

    with pytest.raises(RowRefused) as refusal:
        load(*twice)

    assert str(refusal.value) == (
        f"Line {line}: a reference occurs twice for one merchant: {reference!r}"
    )
    assert nothing_is_loaded()


def test_reference_of_an_earlier_payment_is_refused_with_its_line() -> None:
    load(PAID)
    before = balances()

    with pytest.raises(RowRefused, match=r"Line 3: a reference occurs twice .*: 'M1-A'"):
        load(YEN, PAID.replace("P1", "P9"))

    assert (Payment.objects.count(), balances()) == (1, before)


def test_same_reference_of_two_merchants_is_two_payments() -> None:
    loaded = load(PAID, PAID.replace("P1,M1", "P2,M2"))

    assert counts(loaded)["payments"] == (2, 0, {"EUR": "200.00"})


def test_same_id_of_two_merchants_is_two_payments() -> None:
    rows = PAID, PAID.replace("P1,M1", "P1,M2")
    load(*rows)

    loaded = load(*rows)

    assert counts(loaded)["payments"] == (0, 2, {})


def test_row_in_a_closed_period_is_refused_with_its_line() -> None:
    define_periods("2026-02", "2026-02", zone="UTC", actor=ACTOR)
    close_period("2026-02", actor=ACTOR, reason="done")

    with pytest.raises(RowRefused, match="Line 3: The books are closed until 2026-03-01"):
        load(PAID, YEN.replace("2026-03-02", "2026-02-02"))

    assert nothing_is_loaded()


def test_refund_of_more_than_is_left_is_refused_with_its_line() -> None:
    load(PAID)
    before = balances()

    with pytest.raises(RowRefused, match=r"Line 3: 70\.00 EUR is left to refund, not 70\.01 EUR"):
        load(BACK, BACK.replace("R1", "R9").replace("M1-R", "M1-T").replace("30.00", "70.01"))

    assert not Refund.objects.exists()
    assert Payment.objects.get().amount_refunded == 0
    assert balances() == before


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


def test_command_prints_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "payments.csv"
    file.write_text("\ufeff" + "\r\n".join([COLUMNS, PAID, BACK]) + "\r\n")

    call_command("import_payments", str(file))
    said = capsys.readouterr().out
    call_command("import_payments", str(file), "--json")
    data = json.loads(capsys.readouterr().out)

    assert said == "payments: 1 new, 0 known, 100.00 EUR\nrefunds: 1 new, 0 known, 30.00 EUR\n"
    assert data == {
        "payments": {"created": 0, "known": 1, "sums": {}},
        "refunds": {"created": 0, "known": 1, "sums": {}},
    }


def test_command_shows_a_bar_on_a_terminal_and_none_to_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "payments.csv"
    file.write_text("\n".join([COLUMNS, PAID, OLD, BACK]))
    keeper, side = os.openpty()
    with open(keeper, "rb", buffering=0) as screen, open(side, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)

        call_command("import_payments", str(file))
        call_command("import_payments", str(file), "--json")

        terminal.write("end")
        terminal.flush()
        drawn = b""
        while not drawn.endswith(b"end"):
            drawn += screen.read(1_000)
    assert drawn.decode() == (
        f"\r[{'#' * 19}{'.' * 11}]  66 % 2 rows\r[{'#' * 30}] 100 % 3 rows\r\x1b[Kend"
    )
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["payments"]["known"] == 2


def test_command_reads_what_a_pipe_brings(capsys: pytest.CaptureFixture[str]) -> None:
    end, start = os.pipe()
    with open(end) as pipe, open(start, "w") as file:
        file.write("\n".join([COLUMNS, BACK, PAID]))
        file.close()

        call_command("import_payments", f"/dev/fd/{pipe.fileno()}")

    assert capsys.readouterr().out == (
        "payments: 1 new, 0 known, 100.00 EUR\nrefunds: 1 new, 0 known, 30.00 EUR\n"
    )


def test_command_names_the_line_that_is_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "payments.csv"
    file.write_bytes(f"{COLUMNS}\n{PAID}\n{YEN}".encode() + ",Köln\n".encode("latin-1"))

    with pytest.raises(CommandError, match=r"^Line 3: it is not UTF-8 \(row_refused\)$"):
        call_command("import_payments", str(file))

    assert nothing_is_loaded()


def test_columns_we_do_not_know_are_passed_over() -> None:
    load(f"Köln,{PAID},more,and more", columns=f"town,{COLUMNS}")

    assert Payment.objects.get().money == eur("100.00")


def test_command_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "payments.csv"
    file.write_text("\n".join([COLUMNS, PAID.replace("payment", "gift")]))

    with pytest.raises(CommandError) as refusal:
        call_command("import_payments", str(file))
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_payments", str(tmp_path / "nothing.csv"))

    assert str(refusal.value) == (
        "Line 2: type is 'gift'; payment or refund is known (row_refused)"
    )
    assert nothing_is_loaded()


@pytest.mark.parametrize(
    "bad",
    [
        BACK.replace(",M1-A,captured", ",M1-Z,captured"),
        BACK.replace("30.00", "1000.00"),
        BACK.replace("EUR", "USD"),
    ],
    ids=["no such payment", "too much", "another currency"],
)
def test_refund_that_does_not_fit_its_payment_loads_nothing(bad: str) -> None:
    with pytest.raises(RowRefused):
        load(PAID, bad)

    assert nothing_is_loaded()


@pytest.mark.parametrize(
    "bad",
    [
        PAID.replace("M1-A", "r" * 81),
        PAID.replace("M1,", "m" * 41 + ","),
        PAID.replace("P1", "p" * 300),
        PAID.replace("M1-A", "a\x00b"),
        PAID.replace("M1,", "M 1/x,"),
        PAID.replace("1.65", "-1.65"),
        '"' + "x" * 200_000 + '"' + PAID[2:],
        PAID + "," * 1_000_000,
    ],
    ids=["reference", "merchant", "id", "nul", "code", "fee", "huge field", "huge line"],
)
def test_row_the_database_cannot_hold_is_named(bad: str) -> None:
    with pytest.raises(RowRefused, match="Line 2: "):
        load(bad)

    assert nothing_is_loaded()


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
