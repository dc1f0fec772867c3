"""Heads: the layers that turn hidden states into scores."""
