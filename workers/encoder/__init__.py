"""The encoder: text to sequences, sequences to packed batches, packed batches to hidden states."""
