"""How events move to and from Kafka. The only package that imports the Kafka client; it never imports torch."""
