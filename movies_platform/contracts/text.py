"""How delivered text is read, wherever it is read: SQL for trimming it and for the ids in it.

The raw stage rejects records by these rules and the parsed stage types them by the same.
"""

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
    """A whole number above 0 that fits 64 bits; null for any other text."""
    return f"CASE WHEN regexp_full_match({text}, '[+]?0*[1-9][0-9]*') THEN TRY_CAST({text} AS BIGINT) END"
