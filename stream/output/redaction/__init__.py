"""Redaction: what becomes of personal data before an event is published."""
