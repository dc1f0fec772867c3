"""How heads and adapters are learnt from labelled texts: the user's, and those of the starter pack."""
