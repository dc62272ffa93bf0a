"""Norms, and what stands in their place."""
