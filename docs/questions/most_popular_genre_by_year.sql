-- Which genre was the most popular of each year, by total, mean, median and maximum of popularity?
-- Movies whose popularity is unknown do not count. Ties: more movies first, then the smaller genre_id. Popularity has six
-- decimals; what differs behind the ninth is what adding and dividing left, and decides nothing.
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
measured AS (
    SELECT year, 'total' AS measure, genre_id, sum(popularity) AS popularity, count(*) AS movies
    FROM ranked GROUP BY year, genre_id
    UNION ALL
    SELECT year, 'mean', genre_id, avg(popularity), count(*) FROM ranked GROUP BY year, genre_id
    UNION ALL
    SELECT year, 'median', genre_id, avg(CASE WHEN 2 * place BETWEEN known AND known + 2 THEN popularity END), count(*)
    FROM ranked GROUP BY year, genre_id
    UNION ALL
    SELECT year, 'max', genre_id, max(popularity), count(*) FROM ranked GROUP BY year, genre_id
),
placed AS (
    SELECT
        year, measure, genre_id, popularity, movies,
        row_number() OVER (
            PARTITION BY year, measure
            ORDER BY round(CAST(popularity AS DECIMAL(38, 9)), 9) DESC, movies DESC, genre_id
        ) AS winner
    FROM measured
)
SELECT p.year, p.measure, g.genre_id, g.genre_name, p.popularity, p.movies
FROM placed p
JOIN genres g ON g.genre_id = p.genre_id
WHERE p.winner = 1
ORDER BY p.year, p.measure;
