"""Numbers that stand for something else, the same in every part of the library."""

IGNORED_LABEL = -100
"""Stands where there is no label and nothing is to be guessed, as in Transformers."""
NEVER = -1e9
"""The logit, or log probability, of what must not be chosen: finite, so that no sum is 0 * inf, and so low that no
model gives as little."""
