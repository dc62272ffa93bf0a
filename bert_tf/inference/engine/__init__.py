"""How a pipeline works out answers: in what precision, in which batches, on how many cores."""
