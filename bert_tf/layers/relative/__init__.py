"""What attention has for how far apart two tokens stand: a number for each distance, or a vector."""
