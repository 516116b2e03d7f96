-- The other files of the data set, by hand, into tables as the platform has them. $FOLDER is replaced by the quoted path of
-- the delivery's folder. Run by duckdb_files.py behind duckdb_floor.sql, whose movies and genre_links it uses.
--
-- Every record counts; of several with one key, the last. What does not fit its type is null and nobody is told.

CREATE TEMP TABLE credits AS
WITH records AS (
    SELECT TRY_CAST(id AS BIGINT) AS movie_id, "cast" AS cast_text, crew AS crew_text, row_number() OVER () AS record
    FROM read_csv($FOLDER || '/credits.csv', header = true, all_varchar = true, strict_mode = false,
                  ignore_errors = true, max_line_size = 10000000, buffer_size = 40000000)
)
SELECT movie_id, arg_max(cast_text, record) AS cast_text, arg_max(crew_text, record) AS crew_text
FROM records WHERE movie_id > 0 GROUP BY movie_id;

CREATE TEMP TABLE cast_items AS
SELECT movie_id, item.credit_id, item.id AS person_id, item.name AS person_name, item.gender,
       item.character AS character_name, item."order" AS cast_order
FROM (SELECT movie_id, unnest(TRY_CAST(cast_text AS STRUCT(cast_id BIGINT, "character" VARCHAR, credit_id VARCHAR,
      gender BIGINT, id BIGINT, name VARCHAR, "order" BIGINT, profile_path VARCHAR)[])) AS item FROM credits)
WHERE item.id IS NOT NULL;

CREATE TEMP TABLE crew_items AS
SELECT movie_id, item.credit_id, item.id AS person_id, item.name AS person_name, item.gender, item.department, item.job
FROM (SELECT movie_id, unnest(TRY_CAST(crew_text AS STRUCT(credit_id VARCHAR, department VARCHAR, gender BIGINT,
      id BIGINT, job VARCHAR, name VARCHAR, profile_path VARCHAR)[])) AS item FROM credits)
WHERE item.id IS NOT NULL;

CREATE TABLE movie_cast AS
SELECT movie_id, credit_id, person_id, character_name, cast_order FROM cast_items SEMI JOIN movies USING (movie_id)
ORDER BY movie_id, credit_id;
CREATE TABLE movie_crew AS
SELECT movie_id, credit_id, person_id, department, job FROM crew_items SEMI JOIN movies USING (movie_id)
ORDER BY movie_id, credit_id;

CREATE TABLE people AS
WITH named AS (
    SELECT person_id, person_name, gender FROM cast_items UNION ALL SELECT person_id, person_name, gender FROM crew_items
)
SELECT person_id, mode(person_name) AS person_name, mode(gender) AS gender FROM named GROUP BY person_id
ORDER BY person_id;

CREATE TEMP TABLE keyword_items AS
SELECT movie_id, item.id AS keyword_id, item.name AS keyword_name
FROM (
    SELECT TRY_CAST(id AS BIGINT) AS movie_id, unnest(TRY_CAST(keywords AS STRUCT(id BIGINT, name VARCHAR)[])) AS item
    FROM read_csv($FOLDER || '/keywords.csv', header = true, all_varchar = true, strict_mode = false,
                  ignore_errors = true)
);
CREATE TABLE movie_keywords AS
SELECT DISTINCT movie_id, keyword_id FROM keyword_items SEMI JOIN movies USING (movie_id) ORDER BY ALL;
CREATE TABLE keywords AS
SELECT keyword_id, mode(keyword_name) AS keyword_name FROM keyword_items GROUP BY keyword_id ORDER BY keyword_id;

CREATE TABLE movie_links AS
SELECT TRY_CAST(movieId AS BIGINT) AS movielens_id, any_value(TRY_CAST(tmdbId AS BIGINT)) AS movie_id
FROM read_csv($FOLDER || '/links.csv', header = true, all_varchar = true, ignore_errors = true)
WHERE TRY_CAST(tmdbId AS BIGINT) IN (SELECT movie_id FROM movies)
GROUP BY ALL ORDER BY ALL;

CREATE TABLE ratings AS
WITH records AS (
    SELECT TRY_CAST(userId AS BIGINT) AS user_id, TRY_CAST(movieId AS BIGINT) AS movielens_id,
           TRY_CAST(rating AS DOUBLE) AS rating, to_timestamp(TRY_CAST("timestamp" AS BIGINT)) AS rated_at,
           row_number() OVER () AS record
    FROM read_csv($FOLDER || '/ratings.csv', header = true, all_varchar = true, ignore_errors = true)
),
newest AS (
    SELECT user_id, movielens_id, arg_max(rating, record) AS rating, arg_max(rated_at, record) AS rated_at
    FROM records WHERE rating > 0 AND rating <= 5 GROUP BY user_id, movielens_id
)
SELECT user_id, movielens_id, movie_id, rating, rated_at FROM newest JOIN movie_links USING (movielens_id);

CREATE TABLE movie_ratings AS
SELECT movie_id, count(*) AS ratings, avg(rating) AS mean_rating FROM ratings GROUP BY movie_id ORDER BY movie_id;

CREATE TABLE genre_ratings_by_year AS
SELECT year, genre_id, count(*) AS movies, sum(ratings) AS ratings, sum(ratings * mean_rating) / sum(ratings) AS mean_rating
FROM genre_links JOIN movies USING (movie_id) LEFT JOIN movie_ratings USING (movie_id)
WHERE year IS NOT NULL GROUP BY ALL ORDER BY year, genre_id;
