"""The starter: the models that are shipped with glossator, as files."""
