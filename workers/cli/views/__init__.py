"""Events and plans for people to read."""
