"""The back office of payouts: who sees what, and every step with a permission of its own."""

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from ledger.actors import Actor
from ledger.models import AuditEvent
from settlements.models import MerchantBankAccount, Payout, PayoutFile
from settlements.rails.bank_ids import bank_id
from settlements.services.batches import run_settlement
from tests.factories import MerchantFactory, SucceededPaymentFactory, eur
from tests.settlements.test_status_reports import report
from tests.support.payouts import SHOP_IBAN, approved, bank_account, debtor, file_of

pytestmark = pytest.mark.django_db


def client_of(name: str, *may: str) -> Client:
    """Somebody who sees everything in the back office and may do what is said."""
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="settlements", codename__in=may)
        | Permission.objects.filter(codename__startswith="view_")
    )
    client = Client()
    client.force_login(user)
    return client


def url(model: str, action: str, *args: object) -> str:
    return reverse(f"admin:settlements_{model}_{action}", args=args)


def due(*amounts: str) -> list[Payout]:
    for amount in amounts:
        payment = SucceededPaymentFactory(merchant=MerchantFactory(), money=eur(amount))
    run_settlement(payment.effective_at.date(), actor=Actor.system("settlement"))
    return list(Payout.objects.select_related("merchant").order_by("pk"))


def test_lists_show_the_end_of_an_account_number_and_few_see_it_whole() -> None:
    account = bank_account(MerchantFactory())
    many, few = client_of("many"), client_of("few", "see_full_iban")
    page = url("merchantbankaccount", "change", account.pk)

    listed = few.get(url("merchantbankaccount", "changelist")).content.decode()
    masked, whole = (client.get(page).content.decode() for client in (many, few))

    assert ("NL…4300" in listed, SHOP_IBAN in listed) == (True, False)
    assert ("NL…4300" in masked, SHOP_IBAN in masked) == (True, False)
    assert SHOP_IBAN in whole


def test_account_is_asked_for_by_one_and_verified_by_another() -> None:
    merchant = MerchantFactory()
    maker = client_of("ann", "request_merchantbankaccount", "verify_merchantbankaccount")
    checker = client_of("bob", "verify_merchantbankaccount")
    wish = {"merchant": merchant.pk, "currency": "EUR", "holder": "Shop", "iban": "NL00", "bic": ""}
    wish["reason"] = "They wrote us."

    refused = maker.post(url("merchantbankaccount", "ask_for"), wish)
    maker.post(url("merchantbankaccount", "ask_for"), {**wish, "iban": SHOP_IBAN})
    account = MerchantBankAccount.objects.get()
    own = maker.post(url("merchantbankaccount", "verify", account.pk), {"reason": "I know it."})
    checker.post(url("merchantbankaccount", "verify", account.pk), {"reason": "Called them."})

    assert "no bank account payouts can go to" in refused.content.decode()
    assert "by somebody else" in own.content.decode()
    account.refresh_from_db()
    assert (account.status, account.decided_by) == ("VERIFIED", "user:bob")
    assert AuditEvent.objects.get(action="bank_account.requested").reason == "They wrote us."


def test_payouts_are_approved_in_bulk_and_refusals_are_shown() -> None:
    payouts = due("100.00", "200.00")
    Payout.objects.filter(pk=payouts[1].pk).update(requested_by="user:ann")
    chosen = {"action": "approve_selected", "_selected_action": [each.pk for each in payouts]}

    client_of("eve").post(url("payout", "changelist"), {**chosen, "reason": "Mine."})
    ann = client_of("ann", "approve_payout")
    asked = ann.post(url("payout", "changelist"), chosen).content.decode()
    assert not Payout.objects.filter(status="APPROVED").exists()
    assert "290.70 EUR go to merchants" in asked
    page = ann.post(url("payout", "changelist"), {**chosen, "reason": "Checked."}, follow=True)

    assert "1 payouts approved." in page.content.decode()
    assert f"{payouts[1]} must be approved by somebody else" in page.content.decode()
    assert Payout.objects.get(status="APPROVED") == payouts[0]
    assert AuditEvent.objects.get(action="payout.approved").reason == "Checked."


def test_payout_is_canceled_with_a_reason() -> None:
    (payout,) = due("100.00")
    step = url("payout", "cancel", payout.pk)

    assert client_of("eve").post(step, {"reason": "No."}).status_code == 403
    client_of("ann", "cancel_payout").post(step, {"reason": "The merchant asked us to wait."})

    payout.refresh_from_db()
    assert payout.status == "CANCELED"
    assert AuditEvent.objects.get(action="payout.canceled").reason.startswith("The merchant")


def test_files_are_made_downloaded_and_answered_each_by_who_may() -> None:
    debtor_account = debtor()
    approved(due("100.00"))
    ann = client_of("ann", "make_payoutfile")
    bob = client_of("bob", "download_payoutfile")
    eve = client_of("eve", "import_statusreport")
    wish = {"debtor": debtor_account.pk, "execution_on": "2999-01-01", "format": "pain.001.001.09"}

    silent = ann.post(url("payoutfile", "make"), wish).content.decode()
    ann.post(url("payoutfile", "make"), {**wish, "reason": "Payday."})
    assert "This field is required" in silent
    assert AuditEvent.objects.get(action="payout_file.made").reason == "Payday."
    file = PayoutFile.objects.get()
    step = url("payoutfile", "download", file.pk)
    looked, refused, taken = bob.get(step), ann.post(step), bob.post(step)
    answer = report(bank_id(file.public_id), group="RJCT")
    upload = SimpleUploadedFile("answer.xml", answer)
    answered = eve.post(url("payoutfile", "import_report"), {"file": upload}, follow=True)

    assert (looked.status_code, refused.status_code, taken.status_code) == (200, 403, 200)
    assert taken.content == bytes(file.content)
    assert taken["Content-Disposition"] == f'attachment; filename="{file.public_id}.xml"'
    assert b"CstmrCdtTrfInitn" not in looked.content
    assert AuditEvent.objects.get(action="payout_file.handed_over").actor_label == "bob"
    assert f"{file} is REJECTED; 1 payouts refused." in answered.content.decode()
    assert set(Payout.objects.values_list("status", flat=True)) == {"REJECTED", "PENDING_APPROVAL"}


def test_file_is_withdrawn_until_it_is_downloaded() -> None:
    file = file_of(approved(due("100.00")))
    ann = client_of("ann", "withdraw_payoutfile")

    ann.post(url("payoutfile", "withdraw", file.pk), {"reason": "Tomorrow."})

    file.refresh_from_db()
    assert file.status == "REJECTED"
    page = ann.get(url("payoutfile", "change", file.pk)).content.decode()
    assert url("payoutfile", "download", file.pk) not in page


@pytest.mark.parametrize(
    ("format", "start"), [("csv", b"kind,"), ("xlsx", b"PK"), ("html", b"\n<")]
)
def test_statement_of_a_batch_is_a_download(format: str, start: bytes) -> None:
    (payout,) = due("100.00")

    answer = client_of("ann").get(url("settlementbatch", f"statement_{format}", payout.batch_id))

    assert answer.content.startswith(start)
    assert f"{payout.batch.public_id}.{format}" in answer["Content-Disposition"]
