"""Texts in files that people open in a spreadsheet (reliability.md R5.10; OWASP CSV injection)."""

# A spreadsheet runs a cell that begins with one of these, full-width forms too, whatever blanks and
# quotes stand before it.
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
CONTROL_STARTS = ("\t", "\r", "\n")
SKIPPED = " \t\r\n\v\f\"'\u00a0\u2018\u2019\u201c\u201d\u3000\ufeff"


def as_text(text: str) -> str:
    """The text, so that no spreadsheet takes it for a formula."""
    is_formula = text.startswith(CONTROL_STARTS) or text.lstrip(SKIPPED).startswith(FORMULA_STARTS)
    return f"'{text}" if is_formula else text
