-- Which genre was the best rated of each year, by number and mean of votes, weighted rating, number and mean of ratings?
-- Ties: more movies first, then the smaller genre_id; what differs behind the ninth digit decides nothing.
-- The weighted rating is IMDb's: v/(v+m) R + m/(v+m) C, for v votes with the mean R; C is the mean of R over all movies
-- voted on, m the 90th percentile of v, between the two movies next to it in proportion.
WITH voted AS (
    SELECT
        movie_id, vote_count AS votes, vote_average AS mean_vote,
        row_number() OVER (ORDER BY vote_count) - 1 AS place,
        count(*) OVER () AS known
    FROM movies
    WHERE vote_count > 0 AND vote_average IS NOT NULL
),
usual AS (
    SELECT
        avg(mean_vote) AS mean_of_all,
        sum(CASE WHEN abs(place - 0.9e0 * (known - 1)) < 1 THEN votes * (1 - abs(place - 0.9e0 * (known - 1))) END) AS many
    FROM voted
),
stars AS (
    SELECT movie_id, count(*) AS ratings, sum(rating) AS stars FROM ratings GROUP BY movie_id
),
points AS (
    SELECT
        m.movie_id, m.release_year, v.votes, v.votes * v.mean_vote AS points,
        (v.votes * v.mean_vote + u.many * u.mean_of_all) / (v.votes + u.many) AS weighted_rating,
        s.ratings, s.stars
    FROM movies m
    CROSS JOIN usual u
    LEFT JOIN voted v ON v.movie_id = m.movie_id
    LEFT JOIN stars s ON s.movie_id = m.movie_id
    WHERE m.release_year IS NOT NULL
),
yearly AS (
    SELECT
        p.release_year AS year,
        l.genre_id,
        count(*) AS movies,
        coalesce(sum(p.votes), 0) AS votes,
        sum(p.points) / sum(p.votes) AS mean_vote,
        avg(p.weighted_rating) AS weighted_rating,
        coalesce(sum(p.ratings), 0) AS ratings,
        sum(p.stars) / sum(p.ratings) AS mean_rating
    FROM points p
    JOIN movie_genres l ON l.movie_id = p.movie_id
    GROUP BY p.release_year, l.genre_id
),
measured AS (
    SELECT year, 'votes' AS measure, genre_id, movies, votes AS value FROM yearly WHERE votes > 0
    UNION ALL
    SELECT year, 'mean_vote', genre_id, movies, mean_vote FROM yearly WHERE mean_vote > 0
    UNION ALL
    SELECT year, 'weighted_rating', genre_id, movies, weighted_rating FROM yearly WHERE weighted_rating > 0
    UNION ALL
    SELECT year, 'ratings', genre_id, movies, ratings FROM yearly WHERE ratings > 0
    UNION ALL
    SELECT year, 'mean_rating', genre_id, movies, mean_rating FROM yearly WHERE mean_rating > 0
),
placed AS (
    SELECT
        year, measure, genre_id, value, movies,
        row_number() OVER (
            PARTITION BY year, measure
            ORDER BY round(CAST(value AS DECIMAL(38, 9)), 9) DESC, movies DESC, genre_id
        ) AS winner
    FROM measured
)
SELECT p.year, p.measure, g.genre_id, g.genre_name, p.value, p.movies
FROM placed p
JOIN genres g ON g.genre_id = p.genre_id
WHERE p.winner = 1
ORDER BY p.year, p.measure;
