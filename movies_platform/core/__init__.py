"""Stage core: the present state, normalized: for each movie its version in the newest month."""
