"""Tagging: a label for each word, or entities made of them."""
