-- How popular are the movies of each genre, year by year?
-- Movies whose popularity is unknown count as releases only. The median is the mean of the one or two movies in the
-- middle, found by their rank, because not every database has a median.
WITH ranked AS (
    SELECT
        m.release_year AS year,
        l.genre_id,
        m.popularity,
        row_number() OVER (PARTITION BY m.release_year, l.genre_id ORDER BY m.popularity) AS place,
        count(*) OVER (PARTITION BY m.release_year, l.genre_id) AS known
    FROM movies m
    JOIN movie_genres l ON l.movie_id = m.movie_id
    WHERE m.release_year IS NOT NULL AND m.popularity IS NOT NULL
),
medians AS (
    SELECT year, genre_id, avg(popularity) AS median_popularity
    FROM ranked
    WHERE 2 * place BETWEEN known AND known + 2
    GROUP BY year, genre_id
)
SELECT
    m.release_year AS year,
    g.genre_id,
    g.genre_name,
    count(*) AS movies,
    sum(m.popularity) AS total_popularity,
    avg(m.popularity) AS mean_popularity,
    max(d.median_popularity) AS median_popularity,
    max(m.popularity) AS max_popularity
FROM movies m
JOIN movie_genres l ON l.movie_id = m.movie_id
JOIN genres g ON g.genre_id = l.genre_id
LEFT JOIN medians d ON d.year = m.release_year AND d.genre_id = g.genre_id
WHERE m.release_year IS NOT NULL
GROUP BY m.release_year, g.genre_id, g.genre_name
ORDER BY m.release_year, g.genre_id;
