"""The latest snapshot in other databases: PostgreSQL, MySQL or MariaDB, SQLite.

`MOVIES_LOAD_TO` names them; without it the stage does nothing. Readers of a database see the old snapshot or the new
one, never a mixture and never an error: tables stay where they are, and one transaction brings them from one snapshot
to the other (docs/decisions/0011).
"""
