"""Extractive summarization: the sentences of a text that say what it says."""
