"""Texts written for this project that teach moderation what its tweets lack: threats, self-harm, and harmless twins."""
