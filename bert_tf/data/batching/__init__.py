"""From examples to batches: features, plans, packing, epochs."""
