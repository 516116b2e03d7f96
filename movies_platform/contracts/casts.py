"""How delivered text becomes a typed value, as SQL; what does not fit is null and an issue.

A declared attribute (`contracts.sources`) names the delivered column it comes from and its cast. The raw stage rejects
records by these casts and the parsed stage types them by the same.
"""

from collections.abc import Callable
from dataclasses import dataclass

from movies_platform.contracts.sources import Attribute
from movies_platform.contracts.tables import quoted
from movies_platform.contracts.text import positive_integer, trimmed

_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_LARGEST = "1e100"  # numbers up to here add up to something finite, however many they are
_LAST_SECOND = 2**40


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


def imdb_id(text: str) -> str:
    """IMDb's number of a movie, digits with or without `tt`, as IMDb writes it."""
    digits = f"ltrim({text}, 't')"
    padded = f"'tt' || repeat('0', 7 - length({digits})) || {digits}"
    return f"CASE WHEN regexp_full_match({text}, '(tt)?[0-9]+') THEN {padded} END"


def _same(value: str) -> str:
    return value


def _range(condition: str, result: str = "{0}") -> Callable[[str], str]:
    """SQL for a read value where the condition holds; both name the value `{0}`."""
    return lambda value: f"CASE WHEN {condition.format(value)} THEN {result.format(value)} END"


@dataclass(frozen=True)
class Cast:
    """How text becomes a value: it is `read`, and what was read is `accept`ed or becomes null.

    Both are SQL of SQL. `issue` is the code where the text does not fit (text always does); with `zero_is_unknown`, 0
    is null and no issue.
    """

    read: Callable[[str], str] = _same
    accept: Callable[[str], str] = _same
    issue: str = ""
    zero_is_unknown: bool = False

    def unfit(self, column: str, text: str, value: str) -> str:
        """SQL: whether `column` is null because trimmed `text`, read as `value`, does not fit."""
        unknown = f" AND NOT coalesce({value} = 0, false)" if self.zero_is_unknown else ""
        return f"({column} IS NULL AND {text} IS NOT NULL{unknown})"


CASTS = {
    "text": Cast(),
    "date": Cast(date, issue="invalid_date"),
    # abs: no negative zero
    "number": Cast(number, _range(f"{{0}} BETWEEN 0 AND {_LARGEST}", "abs({0})"), "invalid_number"),
    "whole": Cast(number, _range("{0} >= 0 AND {0} = trunc({0})", "TRY_CAST({0} AS BIGINT)"), "invalid_number"),
    "amount": Cast(number, _range(f"{{0}} > 0 AND {{0}} <= {_LARGEST}"), "invalid_number", zero_is_unknown=True),
    "rating": Cast(number, _range("{0} > 0 AND {0} <= 5"), "invalid_number"),
    "seconds": Cast(
        number, _range(f"{{0}} >= 0 AND {{0}} < {_LAST_SECOND} AND {{0}} = trunc({{0}})",
                       "make_timestamp({0}::BIGINT * 1000000)"), "invalid_number",
    ),
    "id": Cast(positive_integer, issue="invalid_id"),
    "imdb_id": Cast(imdb_id, issue="invalid_id"),
}  # fmt: skip


def value_of(attribute: Attribute) -> str:
    """SQL for the value of one delivered column; null where it does not fit."""
    cast = CASTS[attribute.cast]
    return cast.accept(cast.read(trimmed(quoted(attribute.delivered))))
