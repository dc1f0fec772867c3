"""What is published: enriched events and dead letters."""
