"""What is pre-trained: models that guess hidden tokens, tell pairs of segments apart, or tell replaced tokens."""
