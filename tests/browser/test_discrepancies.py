"""A discrepancy is found, worked and written off: one person proposes, another one approves."""

from typing import Any

from ledger.models import JournalEntry
from reconciliation.models import Discrepancy
from tests.browser.conftest import Desk
from tests.browser.steps import answer, begin_step, take_step


def test_discrepancy_is_worked_to_written_off_by_maker_and_checker(desk: Desk) -> None:
    found = Discrepancy.objects.get(type="deposit_short")
    maker, checker = desk("maker").open("/admin/"), desk("checker")

    maker.get_by_role("link", name="deposit short", exact=True).click()
    maker.locator("#result_list tbody th a").click()
    take_step(maker, "Assign to me")
    maker.get_by_text("maker@example.com sees to it").wait_for()
    maker.get_by_label("Note").fill("They kept 2.50 for the transfer.")
    maker.get_by_role("button", name="Leave a note").click()
    maker.locator(".t-log", has_text="They kept 2.50 for the transfer.").wait_for()
    said = begin_step(maker, "Propose a write-off")
    assert "Open, book minus statement: 2.50 EUR on" in said
    answer(maker, kind="write_off", reason_code="charges", reason="Too small to ask for.")
    maker.locator(".t-card header", has_text="write off requested").wait_for()

    page = checker.open("/admin/")
    page.get_by_role("link", name="Write-offs to decide").click()
    page.locator("#result_list tbody th a").click()
    promised = begin_step(page, "Approve")
    answer(page, reason="They told us in March.")

    found.refresh_from_db()
    entry = JournalEntry.objects.get(public_id=found.write_offs.get().journal_entry)
    assert found.status == "WRITTEN_OFF"
    assert f"Just this is posted: {_in_words(entry)}; if" in promised
    maker.reload()
    maker.locator(".t-card header", has_text="written off").first.wait_for()
    maker.get_by_role("link", name=entry.public_id).first.click()
    maker.get_by_role("heading", name=entry.public_id).first.wait_for()
    for posting in entry.postings.all():
        assert maker.get_by_role("link", name=posting.account.code, exact=True).count()


def _in_words(entry: Any) -> str:
    by = {posting.direction: posting for posting in entry.postings.all()}
    debit, credit = by["debit"], by["credit"]
    assert debit.amount == credit.amount
    return (
        f"{debit.money}: debit {debit.account.code}, credit {credit.account.code},"
        f" effective {entry.effective_at.date()}"
    )
