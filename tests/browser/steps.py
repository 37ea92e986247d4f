"""What people do on every page: press a button of a record, answer what is asked, send it."""

from typing import Any

FORM = "form[method=post][novalidate]"


def go(page: Any, where: str) -> None:
    """Follow the way of this name beside the page; all models are listed below the ways."""
    page.locator("#nav-sidebar a", has_text=where).first.click()


def begin_step(page: Any, name: str) -> str:
    """Press the record's button; returns what the step says of itself."""
    with page.expect_navigation():
        page.get_by_role("link", name=name, exact=True).click()
    return page.locator(f"{FORM} p").first.inner_text()


def answer(page: Any, **answers: str) -> None:
    """Fill in what is asked, and send it."""
    form = page.locator(FORM)
    for field, said in answers.items():
        widget = form.locator(f"[name={field}]")
        if widget.evaluate("it => it.tagName") == "SELECT":
            widget.select_option(said)
        else:
            widget.fill(said)
    with page.expect_navigation():
        form.get_by_role("button").click()


def take_step(page: Any, name: str, **answers: str) -> None:
    begin_step(page, name)
    answer(page, **answers)


def show_preview(page: Any, content: bytes) -> Any:
    """Choose a file of the bank and look at it; nothing is sent yet."""
    go(page, "Statement files")
    page.get_by_role("link", name="Send a file").click()
    page.locator("select[name=source]").select_option(label="simbank")
    file = {"name": "tomorrow.xml", "mimeType": "text/xml", "buffer": content}
    page.locator("input[type=file]").set_input_files(file)
    with page.expect_navigation():
        page.get_by_role("button", name="Look at it first").click()
    return page
