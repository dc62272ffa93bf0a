"""Containers that other libraries keep tensors in: names and shapes first, arrays when they are asked for."""
