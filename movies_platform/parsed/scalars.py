"""Text of a raw record -> typed scalar columns, as SQL expressions over trimmed text.

An expression is null where the text is null or does not fit. Text is trimmed as Python's `str.strip`
does, which knows more white space than SQL's TRIM.
"""

from dataclasses import dataclass

# Everything for which str.isspace() is true, as a class of a regular expression (as fast as TRIM, where TRIM
# with a set of characters takes ten times as long).
_SPACE = r"\t\n\x0b\x0c\r\x1c-\x1f \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"

_LARGEST = "1e100"  # numbers up to here add up to something finite, however many they are


def trimmed(column: str) -> str:
    """The text without white space at both ends; null when nothing is left."""
    bare = f"nullif(regexp_replace({column}, '^[{_SPACE}]+|[{_SPACE}]+$', '', 'g'), '')"
    # Nearly every text begins and ends with a visible character of ASCII, which is seen in half the time.
    return (
        f"CASE WHEN ord({column}) BETWEEN 33 AND 126 AND {column}[-1] BETWEEN '!' AND '~' THEN {column} ELSE {bare} END"
    )


def positive_integer(text: str) -> str:
    """A whole number above 0 that fits 64 bits."""
    return f"CASE WHEN regexp_full_match({text}, '[+]?0*[1-9][0-9]*') THEN TRY_CAST({text} AS BIGINT) END"


def date(text: str) -> str:
    """A day written YYYY-MM-DD or MM/DD/YYYY, from the year 1 on."""
    return (
        f"CASE WHEN regexp_full_match({text}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') AND {text}[1:4] != '0000' "
        f"THEN TRY_CAST({text} AS DATE) "
        f"WHEN regexp_full_match({text}, '[0-9]{{2}}/[0-9]{{2}}/[0-9]{{4}}') AND {text}[7:10] != '0000' "
        f"THEN TRY_CAST({text}[7:10] || '-' || {text}[1:2] || '-' || {text}[4:5] AS DATE) END"
    )


def number(text: str) -> str:
    """A number: of either sign, infinite where it is too large for a double."""
    return f"TRY_CAST(CASE WHEN regexp_full_match({text}, '{_NUMBER}') THEN {text} END AS DOUBLE)"


def _text(value: str) -> str:
    return value


def _real(value: str) -> str:
    return f"CASE WHEN {value} BETWEEN 0 AND {_LARGEST} THEN abs({value}) END"  # abs: no negative zero


def _money(value: str) -> str:
    return f"CASE WHEN {value} > 0 AND {value} <= {_LARGEST} THEN {value} END"


def _whole(value: str) -> str:
    return f"CASE WHEN {value} >= 0 AND {value} = trunc({value}) THEN TRY_CAST({value} AS BIGINT) END"


@dataclass(frozen=True)
class Scalar:
    """How a raw column becomes a parsed one: text is read, and what was read is accepted or not."""

    raw: str
    issue: str = ""  # code when the text does not fit; texts always fit
    zero_is_unknown: bool = False

    def read(self, text: str) -> str:
        """The value in trimmed text, before it is judged."""
        return {"": _text, "invalid_date": date, "invalid_number": number}[self.issue](text)

    def accept(self, value: str) -> str:
        """The value that was read, or null where it cannot be."""
        if self.issue != "invalid_number":
            return value
        if self.zero_is_unknown:
            return _money(value)
        return _whole(value) if self.raw == "vote_count" else _real(value)

    def unfit(self, text: str, value: str) -> str:
        """Whether trimmed text, read as `value`, whose accepted value is null was unfit (and not an unknown amount)."""
        unknown = f" AND NOT coalesce({value} = 0, false)" if self.zero_is_unknown else ""
        return f"{text} IS NOT NULL{unknown}"


SCALARS = {
    "imdb_id": Scalar("imdb_id"),
    "title": Scalar("title"),
    "original_title": Scalar("original_title"),
    "original_language": Scalar("original_language"),
    "release_date": Scalar("release_date", "invalid_date"),
    "budget_usd": Scalar("budget", "invalid_number", zero_is_unknown=True),
    "revenue_usd": Scalar("revenue", "invalid_number", zero_is_unknown=True),
    "popularity": Scalar("popularity", "invalid_number"),
    "vote_average": Scalar("vote_average", "invalid_number"),
    "vote_count": Scalar("vote_count", "invalid_number"),
    "runtime_minutes": Scalar("runtime", "invalid_number"),
    "status": Scalar("status"),
}
