"""Contracts: pipeline file, enriched event, documents, labels, errors. Imports neither stream nor workers."""
