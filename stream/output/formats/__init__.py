"""Encoding enriched events for a topic, one module for each format."""
