"""Every exception of the product.

```
GlossatorError                exit 70   a fault of ours
├── ConfigError               exit 78   the pipeline file is wrong; carries every mistake at once
├── ModelError                exit 66   a model is missing, unsafe, or does not fit its task
├── BrokerError               exit 69   the cluster cannot be reached, or refused what we must do
│   ├── TopicError            exit 69   a topic does not exist and nobody creates it
│   ├── AccessError           exit 77   credentials or permissions
│   ├── FencedError           exit 76   another worker has taken this one's slot
│   ├── SettingError          exit 78   the cluster does not take a setting of the pipeline file
│   └── OffsetError           exit 74   a committed offset is no longer in the log: events were lost
│                                       before we could read them, and a person must decide
├── StuckError                exit 75   something that should move has not for too long
├── PoisonError               exit 65   too many dead letters: the fault is more likely ours, or the file's
├── LabelsError               exit 65   labelled texts cannot be learnt from; carries every mistake at once
├── DeviceError               exit 71   the accelerator is in a state only a new process can leave
└── EventError                          one event is bad; never leaves the worker: a dead letter
    ├── DecodeError                     stage "decode": the bytes are no event we can read
    ├── FieldError                      stage "fields": a task's input is not in the event, or cannot be used
    ├── ConditionError                  stage "when": a condition cannot be decided, or is no boolean
    ├── CrashError                      stage "crash": the process died with this event again and again
    ├── TokenizeError                   stage "tokenize"
    ├── ForwardError                    stage "forward": the model failed on this event alone
    ├── AnnotateError                   stage "annotate": a task could not read its outputs
    ├── EncodeError                     stage "encode": the enriched event cannot be written
    └── ProduceError                    stage "produce": the broker refused the enriched event
```

Messages never hold text of an event, keys, header values or secrets. Exit codes follow BSD
sysexits.h; 0 is a clean end, 2 a wrong command line, 130/143 a second SIGINT/SIGTERM.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class GlossatorError(Exception):
    """Root of the tree: catching it catches everything this product raises on purpose."""

    exit_code = 70


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a pipeline file; printed as ``file:line:column path: message``."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where} {self.path}: {self.message}" if self.path else f"{where} {self.message}"


class ConfigError(GlossatorError):
    """The pipeline file cannot be used; ``problems`` holds every mistake found, in file order."""

    exit_code = 78

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = list(problems)


class ModelError(GlossatorError):
    """A model is missing, has no safetensors, or its head does not fit the task."""

    exit_code = 66


class BrokerError(GlossatorError):
    """The Kafka cluster cannot be reached, or refused something we cannot do without."""

    exit_code = 69


class TopicError(BrokerError):
    """A topic named in the pipeline file does not exist."""


class AccessError(BrokerError):
    """The cluster does not accept our credentials, or they do not permit what we must do."""

    exit_code = 77


class FencedError(BrokerError):
    """Another worker has taken this one's slot: its transactions are refused from then on."""

    exit_code = 76


class SettingError(BrokerError):
    """The cluster does not take a setting that the file's checks cannot judge."""

    exit_code = 78


class OffsetError(BrokerError):
    """The committed offset is gone from the log; going on would skip events silently."""

    exit_code = 74


class StuckError(GlossatorError):
    """The watchdog has given up waiting; a new process is worth a try."""

    exit_code = 75


class PoisonError(GlossatorError):
    """So many events failed that going on would only empty the topic into the dead letters."""

    exit_code = 65


class LabelsError(GlossatorError):
    """A file of labelled texts cannot be learnt from; every mistake has a line of its own."""

    exit_code = 65


class DeviceError(GlossatorError):
    """The accelerator's context is broken for good; a new process is the only cure."""

    exit_code = 71


class EventError(GlossatorError):
    """One event cannot be processed. Its message is the reason its dead letter carries."""

    stage = "unknown"


class DecodeError(EventError):
    stage = "decode"


class FieldError(EventError):
    stage = "fields"


class ConditionError(EventError):
    stage = "when"


class CrashError(EventError):
    stage = "crash"


class TokenizeError(EventError):
    stage = "tokenize"


class ForwardError(EventError):
    stage = "forward"


class AnnotateError(EventError):
    stage = "annotate"


class EncodeError(EventError):
    stage = "encode"


class ProduceError(EventError):
    stage = "produce"
