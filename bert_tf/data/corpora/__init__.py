"""Corpora for pre-training: raw text to token ids on disk, and those to masked, packed batches."""
