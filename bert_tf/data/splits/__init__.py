"""Which rows are for training and which to choose a model by, where the data are somebody's own."""
