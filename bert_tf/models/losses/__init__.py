"""The loss of each head, once: `compute`, `fit` and training all take it from here. They use `keras.ops` only.

A loss is a function of what a head gives and of what is right. It gives two tensors of one shape: the losses, float32,
and where they count, float32, 1 or 0; a loss that does not count is 0. `compute` and `fit` take the weighted mean of
those that count (`means.weighted_mean`); training adds up those of an example (`means.sums_of_examples`), and divides
by how many of the whole batch count, over all replicas and micro-batches.
"""
