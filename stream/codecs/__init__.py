"""Decoding the values of records into documents, one module for each format."""
