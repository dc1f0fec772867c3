"""Recognisers of personal data that has a form: e-mail addresses, cards, national numbers. No torch, no stream."""
