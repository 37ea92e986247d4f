"""Text in the character set every SEPA bank takes (EPC217-08): Latin letters, digits, a few signs.

Letters with marks lose them; Greek and Cyrillic are written in Latin letters as EPC217-08 does; any
other character becomes a full stop.
"""

import re
import unicodedata

# Not only letters with marks, so that normalisation leaves them as they are.
_LETTERS = str.maketrans(
    {
        **{"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O"},
        **{"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH"},
        **{"ı": "i", "ħ": "h", "Ħ": "H", "&": "+", "_": "-", "’": "'", "‘": "'", "`": "'"},
        **{"–": "-", "—": "-", "“": "'", "”": "'", '"': "'", "@": "(at)", "€": "E"},
        **{"[": "(", "]": ")", "{": "(", "}": ")", "<": "(", ">": ")", ";": ",", "|": "/"},
    }
)
_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξοπρσςτυφχψω",
        "a v g d e z i th i k l m n x o p r s s t y f ch ps o".split(),
        strict=True,
    )
)
_CYRILLIC = dict(
    zip(
        "абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґ",
        "a b v g d e zh z i y k l m n o p r s t u f h ts ch sh sht a y y e yu ya i yi ye g".split(),
        strict=True,
    )
)
_TO_LATIN = {
    ord(letter): latin
    for lower, latin in {**_GREEK, **_CYRILLIC}.items()
    for letter, latin in ((lower, latin), (lower.upper(), latin.capitalize()))
}
_OUTSIDE = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")


def sepa_text(text: str, length_max: int) -> str:
    """The text in the set, blanks collapsed, cut to a length."""
    composed = unicodedata.normalize("NFC", text).translate(_LETTERS).translate(_TO_LATIN)
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", composed)
        if not unicodedata.combining(letter)
    )
    # What lost its marks only now may be Greek or Cyrillic.
    within = _OUTSIDE.sub(".", " ".join(plain.translate(_TO_LATIN).split()))
    return within[:length_max].strip()


def has_letters(text: str) -> bool:
    """Whether a bank could tell whose name it is once it is in the set."""
    return any(letter.isalpha() for letter in sepa_text(text, len(text) * 3))
