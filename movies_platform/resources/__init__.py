"""What the assets stand on: settings, the warehouse, Dagster's own history."""
