"""What is published in another shape than the enriched event: the answers of moderation services."""
