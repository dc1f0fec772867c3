"""Tests run forwards beside brokers and on few cores, so they set up the process as the command line does."""

from workers.process.environment import prepare_process

prepare_process()
