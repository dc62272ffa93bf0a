"""Pre-training on raw text: masked tokens, and pairs of sentences."""
