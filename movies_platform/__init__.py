"""Monthly refresh of The Movies Dataset as a Dagster asset platform."""
