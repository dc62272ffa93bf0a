"""Models that other runtimes than Keras run, where a kind expects a Keras model."""
