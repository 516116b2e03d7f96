-- What did the movies of each genre earn beyond their cost, year by year?
-- profit_usd credits a movie in full to each of its genres; profit_share_usd splits it equally among them.
-- Only movies whose budget and revenue are both known have a profit.
WITH parts_of_movie AS (
    SELECT movie_id, count(*) AS parts FROM movie_genres GROUP BY movie_id
)
SELECT
    m.release_year AS year,
    g.genre_id,
    g.genre_name,
    count(*) AS movies,
    count(m.revenue_usd - m.budget_usd) AS movies_with_profit,
    sum(m.revenue_usd - m.budget_usd) AS profit_usd,
    sum((m.revenue_usd - m.budget_usd) / p.parts) AS profit_share_usd
FROM movies m
JOIN movie_genres l ON l.movie_id = m.movie_id
JOIN genres g ON g.genre_id = l.genre_id
JOIN parts_of_movie p ON p.movie_id = m.movie_id
WHERE m.release_year IS NOT NULL
GROUP BY m.release_year, g.genre_id, g.genre_name
ORDER BY m.release_year, g.genre_id;
