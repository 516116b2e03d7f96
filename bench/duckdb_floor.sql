-- The ten metric tables of the platform from one movies_metadata.csv, written by hand.
-- $CSV is replaced by the quoted path. Run by duckdb_floor.py in a new database file.

-- 1. Read. Only the seven columns that the metrics need are kept as text; the reader skips the rest.
--
-- A few records are broken by a bare line break inside an unquoted overview, so that one record is
-- two short lines. Tried on the real file (45,466 records, three of them broken so), DuckDB 1.5.5:
--   strict_mode = true                   stops: "state machine reached an invalid state"
--   strict_mode = false                  stops at the first broken record
--   + null_padding                       keeps all lines, but a broken record's genres without its
--                                        companies and date, and cannot be parallel as soon as quoted
--                                        text holds line breaks (252 records do)
--   + ignore_errors                      keeps all but the broken records, in parallel
-- new_line makes no difference: a bare CR ends a line with every setting. So the last one is used.
-- It loses the three movies; the platform repairs them.
--
-- preserve_insertion_order is on (the default), so rowid is the order of the records in the file.
CREATE TEMP TABLE records AS
SELECT
    TRY_CAST(id AS BIGINT) AS movie_id,
    -- the place of the separator proves four digits: %Y alone would take two
    CASE
        WHEN release_date[5] = '-' THEN year(TRY_CAST(release_date AS DATE))
        WHEN release_date[-5] = '/' THEN year(try_strptime(release_date, '%m/%d/%Y'))
    END AS year,
    nullif(greatest(TRY_CAST(budget AS BIGINT), 0), 0) AS budget_usd,
    nullif(greatest(TRY_CAST(revenue AS BIGINT), 0), 0) AS revenue_usd,
    TRY_CAST(popularity AS DOUBLE) AS popularity,
    genres,
    production_companies AS companies
FROM read_csv(
    $CSV,
    header = true, delim = ',', quote = '"', escape = '"', all_varchar = true,
    strict_mode = false, ignore_errors = true
)
WHERE TRY_CAST(id AS BIGINT) > 0;

-- 2. The last record of each id counts.
CREATE TEMP TABLE movies AS
SELECT
    movie_id, year, budget_usd, revenue_usd, revenue_usd - budget_usd AS profit_usd,
    CASE WHEN popularity >= 0 AND isfinite(popularity) THEN popularity END AS popularity,
    genres, companies
FROM records
WHERE rowid IN (SELECT max(rowid) FROM records GROUP BY movie_id);

DROP TABLE records;

-- 3. Links. The cast reads a Python literal or JSON; what it cannot read has no items. It does not
-- know the escapes of Python other than \' \" \\, so a few names differ from those of the platform.
-- Many movies share a text (45,430 have 4,065 lists of genres), so each text is read once. The same
-- item twice in a list counts once.
CREATE TEMP TABLE genre_links AS
WITH texts AS (
    SELECT genres, unnest(TRY_CAST(genres AS STRUCT(id BIGINT, name VARCHAR)[])) AS item
    FROM (SELECT DISTINCT genres FROM movies)
),
items AS (
    SELECT genres, item.id AS genre_id, min(trim(item.name)) AS genre_name
    FROM texts
    WHERE item.id IS NOT NULL AND trim(item.name) <> ''
    GROUP BY ALL
)
SELECT movie_id, genre_id, genre_name FROM movies JOIN items USING (genres);

CREATE TEMP TABLE company_links AS
WITH texts AS (
    SELECT companies, unnest(TRY_CAST(companies AS STRUCT(id BIGINT, name VARCHAR)[])) AS item
    FROM (SELECT DISTINCT companies FROM movies)
),
items AS (
    SELECT companies, item.id AS company_id, min(trim(item.name)) AS company_name
    FROM texts
    WHERE item.id IS NOT NULL AND trim(item.name) <> ''
    GROUP BY ALL
)
SELECT movie_id, company_id, company_name FROM movies JOIN items USING (companies);

-- 4. One name for each id: the most frequent, then the first of the alphabet.
CREATE TEMP TABLE genres AS
SELECT genre_id, arg_min(genre_name, (-n, genre_name)) AS genre_name
FROM (SELECT genre_id, genre_name, count(*) AS n FROM genre_links GROUP BY ALL)
GROUP BY genre_id;

CREATE TEMP TABLE companies AS
SELECT company_id, arg_min(company_name, (-n, company_name)) AS company_name
FROM (SELECT company_id, company_name, count(*) AS n FROM company_links GROUP BY ALL)
GROUP BY company_id;

-- 5. All measures of a genre (company) and a year in one pass; the tables are cut out of it.
CREATE TEMP TABLE genre_years AS
WITH shares AS (SELECT movie_id, count(*) AS links FROM genre_links GROUP BY movie_id)
SELECT
    genre_id, year, count(*) AS movies,
    count(budget_usd) AS movies_with_budget, sum(budget_usd)::BIGINT AS budget_usd,
    sum(budget_usd / links) AS budget_share_usd,
    count(revenue_usd) AS movies_with_revenue, sum(revenue_usd)::BIGINT AS revenue_usd,
    sum(revenue_usd / links) AS revenue_share_usd,
    count(profit_usd) AS movies_with_profit, sum(profit_usd)::BIGINT AS profit_usd,
    sum(profit_usd / links) AS profit_share_usd,
    count(popularity) AS movies_with_popularity, sum(popularity) AS total_popularity,
    avg(popularity) AS mean_popularity, median(popularity) AS median_popularity,
    max(popularity) AS max_popularity
FROM genre_links JOIN movies USING (movie_id) JOIN shares USING (movie_id)
WHERE year IS NOT NULL
GROUP BY genre_id, year;

CREATE TEMP TABLE company_years AS
WITH shares AS (SELECT movie_id, count(*) AS links FROM company_links GROUP BY movie_id)
SELECT
    company_id, year, count(*) AS movies,
    count(budget_usd) AS movies_with_budget, sum(budget_usd)::BIGINT AS budget_usd,
    sum(budget_usd / links) AS budget_share_usd,
    count(revenue_usd) AS movies_with_revenue, sum(revenue_usd)::BIGINT AS revenue_usd,
    sum(revenue_usd / links) AS revenue_share_usd,
    count(profit_usd) AS movies_with_profit, sum(profit_usd)::BIGINT AS profit_usd,
    sum(profit_usd / links) AS profit_share_usd,
    avg(popularity) AS mean_popularity, median(popularity) AS median_popularity,
    max(popularity) AS max_popularity
FROM company_links JOIN movies USING (movie_id) JOIN shares USING (movie_id)
WHERE year IS NOT NULL
GROUP BY company_id, year;

-- 6. The ten tables, in key order with the year first.
CREATE TABLE company_budget_by_year AS
SELECT company_id, year, company_name, movies, movies_with_budget, budget_usd, budget_share_usd
FROM company_years JOIN companies USING (company_id)
ORDER BY year, company_id;

CREATE TABLE company_revenue_by_year AS
SELECT company_id, year, company_name, movies, movies_with_revenue, revenue_usd, revenue_share_usd
FROM company_years JOIN companies USING (company_id)
ORDER BY year, company_id;

CREATE TABLE company_profit_by_year AS
SELECT company_id, year, company_name, movies, movies_with_profit, profit_usd, profit_share_usd
FROM company_years JOIN companies USING (company_id)
ORDER BY year, company_id;

CREATE TABLE company_popularity_by_year AS
SELECT company_id, year, company_name, movies, mean_popularity, median_popularity, max_popularity
FROM company_years JOIN companies USING (company_id)
ORDER BY year, company_id;

CREATE TABLE company_releases_by_genre_by_year AS
WITH releases AS (
    SELECT company_id, genre_id, year, count(*) AS releases
    FROM company_links JOIN genre_links USING (movie_id) JOIN movies USING (movie_id)
    WHERE year IS NOT NULL
    GROUP BY company_id, genre_id, year
)
SELECT company_id, genre_id, year, company_name, genre_name, releases
FROM releases JOIN companies USING (company_id) JOIN genres USING (genre_id)
ORDER BY year, company_id, genre_id;

CREATE TABLE genre_budget_by_year AS
SELECT genre_id, year, genre_name, movies, movies_with_budget, budget_usd, budget_share_usd
FROM genre_years JOIN genres USING (genre_id)
ORDER BY year, genre_id;

CREATE TABLE genre_revenue_by_year AS
SELECT genre_id, year, genre_name, movies, movies_with_revenue, revenue_usd, revenue_share_usd
FROM genre_years JOIN genres USING (genre_id)
ORDER BY year, genre_id;

CREATE TABLE genre_profit_by_year AS
SELECT genre_id, year, genre_name, movies, movies_with_profit, profit_usd, profit_share_usd
FROM genre_years JOIN genres USING (genre_id)
ORDER BY year, genre_id;

CREATE TABLE genre_popularity_by_year AS
SELECT
    genre_id, year, genre_name, movies,
    total_popularity, mean_popularity, median_popularity, max_popularity
FROM genre_years JOIN genres USING (genre_id)
ORDER BY year, genre_id;

CREATE TABLE most_popular_genre_by_year AS
WITH measured AS (
    UNPIVOT (
        SELECT
            year, genre_id, movies_with_popularity AS movies,
            total_popularity AS total, mean_popularity AS mean,
            median_popularity AS median, max_popularity AS max
        FROM genre_years
    )
    ON total, mean, median, max INTO NAME measure VALUE popularity
)
SELECT year, measure, genre_id, genre_name, popularity, movies
FROM measured JOIN genres USING (genre_id)
QUALIFY row_number() OVER (PARTITION BY year, measure ORDER BY popularity DESC, movies DESC, genre_id) = 1
ORDER BY year, measure;
