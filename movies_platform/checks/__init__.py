"""Asset checks: one for each table's contract, and rules about the data with what to do when they fail.

What the code guarantees is enforced when a table is written and shown here; a check that fails for it is a bug. All
others are about deliveries: they warn people, and no table waits for them.
"""
