"""What a worker process needs beside its work: threads, signals, crashes, reloading, and several on one machine."""
