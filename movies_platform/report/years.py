"""The newest year worth showing: deliveries hold a few movies of the running year and of years to come."""

# The newest year with at least half as many releases as the year before it (a scalar subquery of SQL).
NEWEST_YEAR = (
    "(SELECT max(release_year) FROM (SELECT release_year, count(*) AS movies, "
    "lag(count(*)) OVER (ORDER BY release_year) AS before FROM core.movies "
    "WHERE release_date <= delivery_month GROUP BY 1) WHERE movies >= 0.5 * coalesce(before, 0))"
)
