"""What splits words into pieces: unigram models, and merges of pairs."""
