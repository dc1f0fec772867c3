"""``glossator demo``: a recorded stream, played through an embedded broker and shown live."""
