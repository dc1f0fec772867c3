"""How events move: the only package that knows the Kafka client. Never imports torch."""
