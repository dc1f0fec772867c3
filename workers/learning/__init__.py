"""Training of heads and adapters on labelled texts: ``glossator train``, and parts that the starter's recipes share."""
