"""The public names for custom tasks: everything a class named under ``use:`` in the pipeline file needs.

``Task`` is the class to derive from; its docstrings are the contract. ``examples/custom_task.py`` is a complete
example. Importing this module does not import torch.
"""

from __future__ import annotations

from schemas.document import Annotation, Document
from schemas.errors import AnnotateError, FieldError, ModelError
from schemas.pipeline.tasks import CustomTask
from workers.encoder.reading import Activation, HeadInfo, HeadKind, Input, Reading, Scores, Side
from workers.tasks.base import Reader, Task
from workers.tasks.scores import merge_windows, numbers

__all__ = [
    "Activation",
    "AnnotateError",
    "Annotation",
    "CustomTask",
    "Document",
    "FieldError",
    "HeadInfo",
    "HeadKind",
    "Input",
    "ModelError",
    "Reader",
    "Reading",
    "Scores",
    "Side",
    "Task",
    "merge_windows",
    "numbers",
]
