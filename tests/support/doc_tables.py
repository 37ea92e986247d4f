"""Tables of the documentation, as rows that tests check."""

from config.embedded.places import CHECKOUT


def page_text(page: str) -> str:
    """docs/<page>."""
    return (CHECKOUT / "docs" / page).read_text()


def read_table(page: str, title: str) -> list[dict[str, str]]:
    """The rows of the table below `*Tested*: <title>` in docs/<page>, by the names in its head."""
    lines = page_text(page).splitlines()
    titles = [line.partition(";")[0] for line in lines]
    start = titles.index(f"*Tested*: {title}")
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    head, _, *body = rows
    assert body, title
    return [dict(zip(head, row, strict=True)) for row in body]
