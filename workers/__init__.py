"""Who does the work: models, tasks, threads and the command line. The only package that knows torch."""

import os

from workers.process import memory

# OpenMP's threads wait for each other asleep, not spinning: beside a broker, or our own other threads, spinning can
# halve the forwards' speed; on idle cores sleeping costs about a tenth. Read once, when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

memory.keep()
