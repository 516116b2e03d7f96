-- How popular are the movies of each company, year by year?
-- Movies whose popularity is unknown count as releases only. The median is the mean of the one or two movies in the
-- middle, found by their rank, because not every database has a median.
WITH ranked AS (
    SELECT
        m.release_year AS year,
        l.company_id,
        m.popularity,
        row_number() OVER (PARTITION BY m.release_year, l.company_id ORDER BY m.popularity) AS place,
        count(*) OVER (PARTITION BY m.release_year, l.company_id) AS known
    FROM movies m
    JOIN movie_companies l ON l.movie_id = m.movie_id
    WHERE m.release_year IS NOT NULL AND m.popularity IS NOT NULL
),
medians AS (
    SELECT year, company_id, avg(popularity) AS median_popularity
    FROM ranked
    WHERE 2 * place BETWEEN known AND known + 2
    GROUP BY year, company_id
)
SELECT
    m.release_year AS year,
    g.company_id,
    g.company_name,
    count(*) AS movies,
    avg(m.popularity) AS mean_popularity,
    max(d.median_popularity) AS median_popularity,
    max(m.popularity) AS max_popularity
FROM movies m
JOIN movie_companies l ON l.movie_id = m.movie_id
JOIN companies g ON g.company_id = l.company_id
LEFT JOIN medians d ON d.year = m.release_year AND d.company_id = g.company_id
WHERE m.release_year IS NOT NULL
GROUP BY m.release_year, g.company_id, g.company_name
ORDER BY m.release_year, g.company_id;
