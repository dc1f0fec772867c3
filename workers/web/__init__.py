"""The HTTP server of a worker."""
