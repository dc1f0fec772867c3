"""Checkpoints, packs and adapters: how models are found, loaded and shared."""
