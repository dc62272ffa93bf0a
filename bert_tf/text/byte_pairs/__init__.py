"""Byte-level byte pair encoding, as GPT-2, RoBERTa and ModernBERT have it: words of bytes, merged pair by pair."""
