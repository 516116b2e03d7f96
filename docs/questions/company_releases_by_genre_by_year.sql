-- How many movies of each genre did each company release, year by year?
SELECT
    m.release_year AS year,
    c.company_id,
    c.company_name,
    g.genre_id,
    g.genre_name,
    count(*) AS releases
FROM movies m
JOIN movie_companies mc ON mc.movie_id = m.movie_id
JOIN companies c ON c.company_id = mc.company_id
JOIN movie_genres mg ON mg.movie_id = m.movie_id
JOIN genres g ON g.genre_id = mg.genre_id
WHERE m.release_year IS NOT NULL
GROUP BY m.release_year, c.company_id, c.company_name, g.genre_id, g.genre_name
ORDER BY m.release_year, c.company_id, g.genre_id;
