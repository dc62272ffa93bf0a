"""What TensorBoard shows of a run: curves, and what is found of the weights that are kept."""
