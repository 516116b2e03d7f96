"""Stage raw: what was delivered, every record accounted for, nothing interpreted yet."""
