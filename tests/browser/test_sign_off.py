"""A day is prepared by one person, signed by another one, and its report is read as it was."""

from reconciliation.models import SignOff, SourceAccount
from tests.browser.conftest import Desk
from tests.browser.office import Office
from tests.browser.steps import go, take_step


def test_day_is_signed_off_by_a_second_person_and_its_report_stays(
    desk: Desk, office: Office
) -> None:
    account = SourceAccount.objects.get(source__code="simbank", currency="USD")
    maker, checker = desk("maker").open("/admin/"), desk("checker").open("/admin/")

    go(maker, "Sign-offs")
    wish = {"account": str(account), "day": office.day.isoformat(), "reason": "All is explained."}
    take_step(maker, "Prepare a day", **wish)
    maker.get_by_text("waits for a second person").wait_for()
    assert maker.get_by_role("link", name="Sign", exact=True).count() == 0

    checker.reload()
    checker.get_by_role("link", name="Days to sign").click()
    checker.locator("#result_list tbody th a").click()
    take_step(checker, "Sign", reason="I have read it.")

    signed = SignOff.objects.get(source_account=account, day=office.day)
    assert (signed.status, signed.prepared_by, signed.signed_by) == (
        *("SIGNED", "user:maker@example.com", "user:checker@example.com"),
    )
    checker.get_by_role("link", name="Report", exact=True).click()
    report = checker.locator("body").inner_text()
    for text in (account.identifier, "9843.25", signed.content_hash, signed.signed_by):
        assert text in report
