-- What did the movies of each genre earn, year by year?
-- revenue_usd credits a movie in full to each of its genres; revenue_share_usd splits it equally among them.
WITH parts_of_movie AS (
    SELECT movie_id, count(*) AS parts FROM movie_genres GROUP BY movie_id
)
SELECT
    m.release_year AS year,
    g.genre_id,
    g.genre_name,
    count(*) AS movies,
    count(m.revenue_usd) AS movies_with_revenue,
    sum(m.revenue_usd) AS revenue_usd,
    sum(m.revenue_usd / p.parts) AS revenue_share_usd
FROM movies m
JOIN movie_genres l ON l.movie_id = m.movie_id
JOIN genres g ON g.genre_id = l.genre_id
JOIN parts_of_movie p ON p.movie_id = m.movie_id
WHERE m.release_year IS NOT NULL
GROUP BY m.release_year, g.genre_id, g.genre_name
ORDER BY m.release_year, g.genre_id;
