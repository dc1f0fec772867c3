"""What a worker process needs besides its work: threads, signals, crashes, reloading, and several on one machine."""
