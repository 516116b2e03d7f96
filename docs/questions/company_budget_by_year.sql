-- What did the movies of each company cost, year by year?
-- budget_usd credits a movie in full to each of its companies; budget_share_usd splits it equally among them.
WITH parts_of_movie AS (
    SELECT movie_id, count(*) AS parts FROM movie_companies GROUP BY movie_id
)
SELECT
    m.release_year AS year,
    g.company_id,
    g.company_name,
    count(*) AS movies,
    count(m.budget_usd) AS movies_with_budget,
    sum(m.budget_usd) AS budget_usd,
    sum(m.budget_usd / p.parts) AS budget_share_usd
FROM movies m
JOIN movie_companies l ON l.movie_id = m.movie_id
JOIN companies g ON g.company_id = l.company_id
JOIN parts_of_movie p ON p.movie_id = m.movie_id
WHERE m.release_year IS NOT NULL
GROUP BY m.release_year, g.company_id, g.company_name
ORDER BY m.release_year, g.company_id;
