"""Unicode's composed form (NFC), in which some tokenizers of byte pairs read texts."""
