"""KerasHub presets, read and written."""
