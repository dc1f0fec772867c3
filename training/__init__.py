"""The recipes of the shipped weights; not part of the installed package.

Each module is a program: the environment is prepared here, before any of them imports torch.
"""

from workers.process.environment import prepare_process

prepare_process()
