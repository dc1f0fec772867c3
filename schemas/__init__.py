"""What is said: the pipeline file, the event, the labels and the errors. Imports nothing of ours."""
