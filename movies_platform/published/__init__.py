"""The tables as others read them: whole snapshots of files, each made visible in one step.

Core and metric tables and the issues of each month -> a DuckDB file, Parquet, CSV and two wide reports, with a
manifest. Reading them is in `movies_platform.snapshots`.
"""
