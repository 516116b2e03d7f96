-- What do people think of the movies of each genre, year by year?
-- mean_vote is the mean of all votes, weighted_rating that of the movies voted on, mean_rating that of all ratings.
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
)
SELECT
    p.release_year AS year,
    g.genre_id,
    g.genre_name,
    count(*) AS movies,
    coalesce(sum(p.votes), 0) AS votes,
    sum(p.points) / sum(p.votes) AS mean_vote,
    avg(p.weighted_rating) AS weighted_rating,
    coalesce(sum(p.ratings), 0) AS ratings,
    sum(p.stars) / sum(p.ratings) AS mean_rating
FROM points p
JOIN movie_genres l ON l.movie_id = p.movie_id
JOIN genres g ON g.genre_id = l.genre_id
GROUP BY p.release_year, g.genre_id, g.genre_name
ORDER BY p.release_year, g.genre_id;
