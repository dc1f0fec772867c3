"""What a worker reports about itself: counters, metrics, log lines, and a watchdog."""
