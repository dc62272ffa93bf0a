"""Exported models that other runtimes run, opened."""
