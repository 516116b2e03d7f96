"""How delivered text is read, wherever it is read: trimming it, and the ids in it."""

import re

_POSITIVE = "[+]?0*[1-9][0-9]*"
_LARGEST = 2**63 - 1

# Everything for which str.isspace() is true, as a class of a regular expression (as fast as TRIM, where TRIM
# with a set of characters takes ten times as long).
_SPACE = r"\t\n\x0b\x0c\r\x1c-\x1f \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"


def trimmed(column: str) -> str:
    """The text without white space at both ends, as Python's `str.strip` trims it; null when nothing is left."""
    bare = f"nullif(regexp_replace({column}, '^[{_SPACE}]+|[{_SPACE}]+$', '', 'g'), '')"
    # Nearly every text begins and ends with a visible character of ASCII, which is seen in half the time.
    return (
        f"CASE WHEN ord({column}) BETWEEN 33 AND 126 AND {column}[-1] BETWEEN '!' AND '~' THEN {column} ELSE {bare} END"
    )


def positive_integer(text: str) -> str:
    """SQL: a whole number above 0 that fits 64 bits; null for any other text."""
    return f"CASE WHEN regexp_full_match({text}, '{_POSITIVE}') THEN TRY_CAST({text} AS BIGINT) END"


def read_positive_integer(text: str) -> int | None:
    """What `positive_integer` makes of the trimmed text, where a record is read one by one."""
    bare = text.strip()
    digits = bare.lstrip("+0")
    if not re.fullmatch(_POSITIVE, bare) or len(digits) > len(str(_LARGEST)) or int(digits) > _LARGEST:
        return None
    return int(digits)
