"""What phones need of a TFLite file beyond the model: which readers open it, and what they must know to use it."""
