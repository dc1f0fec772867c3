"""Every exception this product raises on purpose.

```
GlossatorError
├── ConfigError               carries every mistake in the pipeline file
├── ModelError
├── BrokerError
│   ├── TopicError
│   ├── AccessError
│   ├── FencedError
│   ├── SettingError
│   └── OffsetError
├── RegistryError
├── StuckError
├── PoisonError
├── LabelsError               carries every mistake in a file of labelled texts, or of scores
├── DeviceError
│   └── NoDeviceError
├── OutputError
└── EventError                one event is bad: it becomes a dead letter and never ends the worker
    ├── DecodeError           stage "decode"
    │   └── UnknownSchemaError
    ├── FieldError            stage "fields"
    ├── ConditionError        stage "when"
    ├── CrashError            stage "crash"
    ├── TokenizeError         stage "tokenize"
    ├── ForwardError          stage "forward"
    ├── AnnotateError         stage "annotate"
    ├── RouteError            stage "route"
    ├── RedactError           stage "redact"
    ├── EncodeError           stage "encode"
    └── ProduceError          stage "produce"
```

Each class that can end a process defines its exit status, whether a restart can help, and a summary for help texts.
Statuses follow BSD sysexits.h. Those without an exception are 0 (a clean end), 2 (wrong command line) and 130 or 143
(a second SIGINT or SIGTERM). Messages never contain text of an event, keys, header values or secrets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


class GlossatorError(Exception):
    """Root of the tree: catching it catches everything this product raises on purpose.

    Attributes:
        exit_status: The status a process ends with when this is what ended it.
        restart: Whether starting the process again can help without a person changing something first.
        crash: Whether an end with it counts as a crash, of which the events in progress are suspected.
        summary: What the exit status means, as a phrase for help texts.
    """

    exit_status = 70
    restart = True
    crash = False
    summary = "an internal error"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a pipeline file; printed as ``file:line:column path: message``.

    Attributes:
        file: The file's name as it was given.
        line: Counted from 1.
        column: Counted from 1.
        path: The field, as in ``tasks[0].model``; empty where no field is concerned.
        message: What is wrong. Never contains a secret.
    """

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

    exit_status = 78
    restart = False
    summary = "the pipeline file is wrong"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = list(problems)


class ModelError(GlossatorError):
    """A model is missing, has no safetensors, or its head does not fit the task.

    ``failures`` maps the names of tasks to what is wrong with their models; empty if the error is not about tasks.
    """

    exit_status = 66
    restart = False
    summary = "a model is missing, unsafe, or does not fit its task"

    def __init__(self, message: str = "", failures: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.failures = dict(failures or {})


class BrokerError(GlossatorError):
    """The Kafka cluster cannot be reached, or refused something we cannot do without."""

    exit_status = 69
    summary = "the brokers cannot be reached, or a topic does not exist"


class TopicError(BrokerError):
    """A topic named in the pipeline file does not exist, and the cluster does not create it."""


class AccessError(BrokerError):
    """The cluster rejects our credentials, or they do not permit what we must do."""

    exit_status = 77
    restart = False
    summary = "credentials or permissions"


class FencedError(BrokerError):
    """Another worker has taken this worker's slot, so its transactions are refused from now on."""

    exit_status = 76
    restart = False
    summary = "another worker took the slot"


class SettingError(BrokerError):
    """A setting of the pipeline file cannot be used here: the cluster rejects it, or its key or library is missing."""

    exit_status = ConfigError.exit_status
    restart = False
    summary = ConfigError.summary

    def __init__(self, message: str = "", place: tuple[str | int, ...] = ()) -> None:
        """``place``: the path of the setting in the pipeline file; empty if it is not known."""
        super().__init__(message)
        self.place = place


class OffsetError(BrokerError):
    """The committed offset is no longer in the log; continuing would skip events silently."""

    exit_status = 74
    restart = False
    summary = "a committed offset is no longer in the log"


class RegistryError(GlossatorError):
    """The Schema Registry cannot be asked now; asking again later can help."""

    exit_status = BrokerError.exit_status
    summary = BrokerError.summary


class StuckError(GlossatorError):
    """The watchdog has given up waiting for something that should have moved."""

    exit_status = 75
    summary = "something was stuck for too long"


class PoisonError(GlossatorError):
    """So many events failed that the fault is more likely in the pipeline than in the events."""

    exit_status = 65
    restart = False
    summary = "too many events became dead letters"


class LabelsError(GlossatorError):
    """A file of labelled texts, or of scores, cannot be used; the message has one line per mistake."""

    exit_status = 65
    restart = False
    summary = "labelled texts, or scores, cannot be used"


class DeviceError(GlossatorError):
    """The accelerator's context is broken, and only a new process can get another one."""

    exit_status = 71
    crash = True
    summary = "the device can only be recovered by a new process"


class NoDeviceError(DeviceError):
    """The pipeline file names a device that this machine does not have."""

    exit_status = ConfigError.exit_status
    restart = False
    crash = False
    summary = ConfigError.summary


class OutputError(GlossatorError):
    """Standard output, or a file that a verb writes, cannot be written."""

    exit_status = 74
    restart = False
    summary = "standard output or a file cannot be written"


class EventError(GlossatorError):
    """One event cannot be processed. Its message is the reason in the event's dead letter.

    Attributes:
        stage: The step that failed, as in the dead letter's headers.
    """

    stage = "unknown"


class DecodeError(EventError):
    """The bytes are not an event in the format of ``input.format``."""

    stage = "decode"


class UnknownSchemaError(DecodeError):
    """The Schema Registry has answered that it has no such schema."""


class FieldError(EventError):
    """A field that a task reads is missing from the event, or cannot be used."""

    stage = "fields"


class ConditionError(EventError):
    """A condition cannot be evaluated, or is not a boolean."""

    stage = "when"


class CrashError(EventError):
    """The process died repeatedly while working on this event."""

    stage = "crash"


class TokenizeError(EventError):
    """The tokenizer failed on the text."""

    stage = "tokenize"


class ForwardError(EventError):
    """The model failed on this event alone."""

    stage = "forward"


class AnnotateError(EventError):
    """A task could not turn the model's outputs into an annotation."""

    stage = "annotate"


class RouteError(EventError):
    """The condition of a route, or the key that it sets, fails for the event.

    Attributes:
        route: The route's name.
    """

    stage = "route"

    def __init__(self, route: str, reason: str) -> None:
        super().__init__(reason)
        self.route = route


class RedactError(EventError):
    """The event cannot be redacted, so nothing of it may be published."""

    stage = "redact"


class EncodeError(EventError):
    """The enriched event cannot be written as JSON."""

    stage = "encode"


class ProduceError(EventError):
    """The broker refused the enriched event."""

    stage = "produce"


def every_error(kind: type[GlossatorError] = GlossatorError) -> Iterator[type[GlossatorError]]:
    """Yield ``kind`` and all classes of this module below it, parents first."""
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == __name__:
            yield from every_error(child)
