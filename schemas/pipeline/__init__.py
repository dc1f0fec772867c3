"""The pipeline file: its models, the rules between fields, and the loader that reports every mistake."""
