"""Benchmarks, each a program: the environment is prepared here, before any of them imports torch."""

from workers.process import environment

environment.prepare()
