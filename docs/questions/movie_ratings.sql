-- What do people think of each movie: votes at TMDB and ratings at MovieLens?
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
)
SELECT
    m.movie_id,
    v.votes,
    v.mean_vote,
    (v.votes * v.mean_vote + u.many * u.mean_of_all) / (v.votes + u.many) AS weighted_rating,
    coalesce(s.ratings, 0) AS ratings,
    s.stars / s.ratings AS mean_rating
FROM movies m
CROSS JOIN usual u
LEFT JOIN voted v ON v.movie_id = m.movie_id
LEFT JOIN stars s ON s.movie_id = m.movie_id
WHERE v.movie_id IS NOT NULL OR s.movie_id IS NOT NULL
ORDER BY m.movie_id;
