"""Cells that a spreadsheet only shows."""

# OWASP CSV injection: a spreadsheet runs a cell that begins with one of these.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def safe_cell(text: str) -> str:
    """The text, behind an apostrophe if a spreadsheet would take it for a formula."""
    return f"'{text}" if text.lstrip(" \"'").startswith(FORMULA_STARTS) else text
