"""What differs between DuckDB and Spark: where tables lie, and who computes a frame."""
