"""BERT's own tokenizer: words, and the longest pieces of a vocabulary that make them up."""
