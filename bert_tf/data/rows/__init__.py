"""What rows and cells hold, whatever file or hub they are from."""
