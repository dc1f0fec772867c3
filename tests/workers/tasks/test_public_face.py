"""``workers.tasks`` offers all that a custom task needs, and is cheap to import."""

from __future__ import annotations

import subprocess
import sys

import workers.tasks


def test_what_custom_tasks_may_import() -> None:
    assert workers.tasks.__all__ == [
        "Activation", "AnnotateError", "Annotation", "CustomTask", "Document", "FieldError", "HeadInfo", "HeadKind",
        "Input", "ModelError", "Reader", "Reading", "Scores", "Side", "Task", "merge_windows", "numbers",
    ]  # fmt: skip
    assert all(hasattr(workers.tasks, name) for name in workers.tasks.__all__)


def test_importing_it_does_not_import_torch() -> None:
    code = "import sys, workers.tasks; sys.exit(bool({'torch', 'transformers', 'workers.chain'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
