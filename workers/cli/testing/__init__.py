"""``glossator test``: cases in, what is not as expected out."""
