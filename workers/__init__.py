"""Models, tasks, threads and the command line. The only package that imports torch."""
