"""Keras's own `compile`, `fit`, `evaluate` and `predict`, as all models have them."""
