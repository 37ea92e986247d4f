"""Where merchants are paid to: asked for by one person, verified by another."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from ledger.errors import InvalidTransition
from ledger.models import AuditEvent
from settlements.errors import (
    ApproverIsRequester,
    BankAccountChanging,
    BankAccountInvalid,
    DebtorAccountMissing,
    DebtorAccountUsed,
)
from settlements.models import DebtorAccount, MerchantBankAccount
from settlements.rails.orders import NamedAccount
from settlements.services.bank_accounts import (
    ask_for_bank_account,
    checked,
    define_debtor_account,
    refuse_bank_account,
    verify_bank_account,
)
from settlements.services.batches import run_settlement
from settlements.services.payout_files import make_payout_file, make_payout_files
from tests.factories import MerchantFactory, SucceededPaymentFactory
from tests.support.payouts import (
    CHECKER,
    MAKER,
    OTHER_IBAN,
    SHOP_IBAN,
    bank_account,
    debtor,
    sent,
)
from tests.support.races import run_together
from tests.support.reports import IBAN

pytestmark = pytest.mark.django_db

OTHER = NamedAccount("Käse & Söhne", OTHER_IBAN, "PSSTFRPP")


@pytest.mark.parametrize(
    ("holder", "iban", "bic"),
    [
        pytest.param("Shop", "NL91ABNA0417164301", "", id="check digits"),
        pytest.param("Shop", "", "", id="no number"),
        pytest.param("Shop", SHOP_IBAN, "ABNANL2", id="short BIC"),
        pytest.param("", SHOP_IBAN, "", id="no name"),
        pytest.param("株式会社", SHOP_IBAN, "", id="name no bank can write"),
        pytest.param("x" * 71, SHOP_IBAN, "", id="long name"),
        pytest.param("Shop\x00", SHOP_IBAN, "", id="unprintable name"),
    ],
)
def test_what_no_bank_would_pay_to_is_refused(holder: str, iban: str, bic: str) -> None:
    merchant = MerchantFactory()

    with pytest.raises(BankAccountInvalid):
        ask_for_bank_account(merchant, NamedAccount(holder, iban, bic), currency="EUR", actor=MAKER)

    assert not MerchantBankAccount.objects.exists()


def test_numbers_are_kept_as_banks_write_them() -> None:
    assert checked(NamedAccount(" Käse  & Söhne ", "nl91 abna 0417 1643 00", "abnanl2a")) == (
        NamedAccount("Käse & Söhne", SHOP_IBAN, "ABNANL2A")
    )
    # A real number whose bank no list knows any more.
    assert checked(NamedAccount("Shop", "BE68 5390 0754 7034", "")).iban == "BE68539007547034"


def test_account_counts_once_somebody_else_has_verified_it() -> None:
    merchant = MerchantFactory(code="shop")
    asked = ask_for_bank_account(merchant, OTHER, currency="EUR", actor=MAKER)

    with pytest.raises(ApproverIsRequester):
        verify_bank_account(asked, actor=MAKER)
    verified = verify_bank_account(asked, actor=CHECKER)

    assert (verified.status, verified.decided_by) == ("VERIFIED", "user:checker")
    (requested, decided) = AuditEvent.objects.filter(subject=f"bank_account:{asked.pk}")
    assert {requested.action, decided.action} == {"bank_account.requested", "bank_account.verified"}
    assert requested.after["iban"] == "FR…2606"
    assert OTHER_IBAN not in str(requested.after)


def test_database_wants_two_people_too() -> None:
    account = bank_account(MerchantFactory())

    with (
        pytest.raises(IntegrityError, match="settlements_bankaccount_four_eyes"),
        transaction.atomic(),
    ):
        MerchantBankAccount.objects.filter(pk=account.pk).update(decided_by=account.requested_by)


def test_verified_account_replaces_the_one_before_and_refused_one_does_not() -> None:
    merchant = MerchantFactory()
    first = bank_account(merchant)
    second = ask_for_bank_account(merchant, OTHER, currency="EUR", actor=MAKER)
    refuse_bank_account(second, actor=MAKER, reason="Mistyped.")
    third = ask_for_bank_account(merchant, OTHER, currency="EUR", actor=MAKER)

    verify_bank_account(third, actor=CHECKER)

    statuses = MerchantBankAccount.objects.order_by("pk").values_list("pk", "status")
    assert list(statuses) == [
        (first.pk, "REPLACED"),
        (second.pk, "REFUSED"),
        (third.pk, "VERIFIED"),
    ]
    with pytest.raises(InvalidTransition):
        verify_bank_account(second, actor=CHECKER)
    assert MerchantBankAccount.objects.get(status="VERIFIED") == third


def test_asking_again_for_the_same_changes_nothing_and_for_another_must_wait() -> None:
    merchant = MerchantFactory()
    verified = bank_account(merchant)
    same = NamedAccount(verified.holder, SHOP_IBAN, "")
    assert ask_for_bank_account(merchant, same, currency="EUR", actor=MAKER) == verified
    asked = ask_for_bank_account(merchant, OTHER, currency="EUR", actor=MAKER)

    assert ask_for_bank_account(merchant, OTHER, currency="EUR", actor=CHECKER) == asked
    with pytest.raises(BankAccountChanging):
        ask_for_bank_account(merchant, same, currency="EUR", actor=MAKER)
    assert MerchantBankAccount.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_that_ask_at_once_are_one_who_asks() -> None:
    merchant = MerchantFactory()
    wishes = [NamedAccount("Shop", iban, "") for iban in (SHOP_IBAN, OTHER_IBAN)]

    outcomes = run_together(
        *[
            lambda wish=wish: ask_for_bank_account(merchant, wish, currency="EUR", actor=MAKER)
            for wish in wishes
        ]
    )

    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        "BankAccountChanging",
        "MerchantBankAccount",
    ]
    assert MerchantBankAccount.objects.count() == 1


def test_debtor_account_that_files_name_stays_and_another_takes_its_place() -> None:
    first = debtor()
    renamed = NamedAccount("Tieout AG", IBAN, "")
    assert define_debtor_account("eur", renamed, currency="EUR", actor=MAKER).name == "Tieout AG"
    payment = SucceededPaymentFactory()
    (batch,) = run_settlement(payment.effective_at.date(), actor=MAKER)
    sent(batch.payouts.select_related("merchant"))

    with pytest.raises(DebtorAccountUsed):
        define_debtor_account("eur", renamed, currency="EUR", actor=MAKER)
    other = define_debtor_account("eur-2", renamed, currency="EUR", actor=MAKER)

    first.refresh_from_db()
    assert (first.is_active, first.name, other.is_active) == (False, "Tieout GmbH", True)
    assert DebtorAccount.objects.get(is_active=True, currency="EUR") == other
    with pytest.raises(DebtorAccountMissing):
        make_payout_file(
            batch.payouts.all(), debtor=first, execution_on=date.max, format="csv", actor=MAKER
        )


def test_files_need_an_account_of_ours_in_the_currency() -> None:
    with pytest.raises(DebtorAccountMissing):
        make_payout_files(currency="SEK", execution_on=date.max, format="csv", actor=MAKER)


def test_nothing_in_a_file_changes_its_accounts_with_it() -> None:
    """A payout goes where the merchant wanted it when the file was made."""
    payment = SucceededPaymentFactory()
    (batch,) = run_settlement(payment.effective_at.date(), actor=MAKER)
    _, content = sent(batch.payouts.select_related("merchant"))

    asked = ask_for_bank_account(batch.merchant, OTHER, currency="EUR", actor=MAKER)
    verify_bank_account(asked, actor=CHECKER)

    assert SHOP_IBAN.encode() in content
    assert batch.payouts.get().bank_account.iban == SHOP_IBAN
