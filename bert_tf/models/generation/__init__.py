"""Writing text: settings, decoding one token at a time, beam search."""
