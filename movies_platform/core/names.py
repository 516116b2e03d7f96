"""One name for each id, where deliveries have several.

148 company names of the data set have several ids, which is no matter; but an id may also change its
name from one delivery to the next, or have two in one.
"""


def most_frequent_names(items: str, links: str, kind: str) -> str:
    """Query for (`kind`_id, `kind`_name) of the ids in `links`, in order of the id.

    The name is the most frequent one in the newest month of `items` that has the id, ties alphabetically
    first (by code point).
    """
    return (
        f"WITH newest AS (SELECT {kind}_id, max(delivery_month) AS delivery_month FROM {items} "
        f"SEMI JOIN {links} USING ({kind}_id) GROUP BY {kind}_id), "
        f"counted AS (SELECT {kind}_id, {kind}_name, count(*) AS times FROM {items} "
        f"JOIN newest USING ({kind}_id, delivery_month) GROUP BY ALL) "
        f"SELECT {kind}_id, arg_min({kind}_name, (-times, {kind}_name)) AS {kind}_name FROM counted "
        f"GROUP BY {kind}_id ORDER BY {kind}_id"
    )
