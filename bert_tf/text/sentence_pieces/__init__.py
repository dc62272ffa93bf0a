"""Text to ids and back by a model of SentencePiece."""
