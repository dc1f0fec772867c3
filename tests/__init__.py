"""Tests run forwards beside brokers and on few cores, so they set up the process as the command line does."""

from workers.process import environment

environment.prepare()
