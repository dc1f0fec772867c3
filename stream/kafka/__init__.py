"""Everything that talks to Kafka: the consumer, the producers, and questions to the cluster."""
