"""Snapshots of the tables, as files that others read.

    latest.json                          names the snapshot to read; replaced in one step
    snapshots/<time>-<snapshot id>-<random>/     one snapshot, never changed
        manifest.json                    written last: what is in it
        movies.duckdb                    every table, for analysts
        parquet/core/movies.parquet      ... and each as Parquet and CSV
        csv/core/movies.csv.gz
        parquet/raw/data_issues/2017-11.parquet
        genre_data.csv, production_data.csv

`write` makes them, `read` reads them, `store` knows the two kinds of places (a folder, S3) and the two JSON files;
`contracts.published` says what is published.
"""
