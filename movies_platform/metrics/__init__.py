"""Stage metrics: the answers, each a small pure function from frames to a frame."""
