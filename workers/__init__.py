"""Who does the work: models, tasks, threads and the command line. The only package that knows torch."""
