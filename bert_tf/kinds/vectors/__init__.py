"""Vectors of texts: embedding, for sentences alike, and retrieval, for search."""
