"""The tokenizer as TFLite operators, for files that take text."""
