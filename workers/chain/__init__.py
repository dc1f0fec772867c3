"""The chain: the tasks of a pipeline, planned into stages that share forwards."""
