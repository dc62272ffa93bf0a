"""Question answering: where in a context the answer stands."""
