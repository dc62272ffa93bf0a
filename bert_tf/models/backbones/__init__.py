"""Backbones: the encoder's shape, its sizes, and the encoder itself."""
