"""What TensorFlow Serving needs of a SavedModel beyond its graph."""
