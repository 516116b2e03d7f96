"""Parsed cast and crew of all months -> core.movie_cast, core.movie_crew and core.people.

A movie's cast and crew are those of the newest month whose credits have the movie. A person has one name and gender,
counted over cast and crew together, those of unknown movies too.
"""

import narwhals as nw

from movies_platform.contracts import core as contracts
from movies_platform.contracts.catalogue import table_asset
from movies_platform.core.links import present_items
from movies_platform.core.names import most_frequent, names_in_use


def people_in_use(items: nw.LazyFrame, users: nw.LazyFrame) -> nw.LazyFrame:
    """person_id, person_name and gender of the people in `users`, as `items` of cast and crew call them."""
    names = names_in_use(items, users, "person_id", "person_name")
    return names.join(most_frequent(items, "person_id", "gender"), on="person_id", how="left")


@table_asset(contracts.MOVIE_CAST)
def movie_cast(parsed_cast: nw.LazyFrame, parsed_credits: nw.LazyFrame, movies: nw.LazyFrame) -> nw.LazyFrame:
    """Who plays whom in the present movies."""
    cast = present_items(parsed_cast, parsed_credits, movies)
    return cast.select(*(column.name for column in contracts.MOVIE_CAST.columns))


@table_asset(contracts.MOVIE_CREW)
def movie_crew(parsed_crew: nw.LazyFrame, parsed_credits: nw.LazyFrame, movies: nw.LazyFrame) -> nw.LazyFrame:
    """Who made the present movies."""
    crew = present_items(parsed_crew, parsed_credits, movies)
    return crew.select(*(column.name for column in contracts.MOVIE_CREW.columns))


@table_asset(contracts.PEOPLE)
def people(
    parsed_cast: nw.LazyFrame, parsed_crew: nw.LazyFrame, movie_cast: nw.LazyFrame, movie_crew: nw.LazyFrame
) -> nw.LazyFrame:
    """The people of the present cast and crew."""
    described = ["person_id", "person_name", "gender", "delivery_month"]
    items = nw.concat([parsed_cast.select(*described), parsed_crew.select(*described)])
    return people_in_use(items, nw.concat([movie_cast.select("person_id"), movie_crew.select("person_id")]))
