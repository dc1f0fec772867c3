"""What ``training.evaluate`` measures, one file per family of tasks."""
