"""Personal data that has a form: e-mail addresses, cards, national numbers. Pure: no torch, nothing of the stream."""
