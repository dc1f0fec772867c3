"""Whether annotations of the stream are still distributed like those of a reference."""
