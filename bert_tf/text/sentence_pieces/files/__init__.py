"""A SentencePiece tokenizer's files."""
