"""JSON Schemas of Kubernetes, KEDA and the Prometheus operator, as kubeconform reads them, made from their Go modules.

    python -m tests.deploy.kubernetes

writes one file for each kind to a folder in .cache, unless they are there. Objects may have no fields but those
described, which is stricter than the API server and finds misspelt ones. Needs Go and its module proxy.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

KUBERNETES = ("k8s.io/kubernetes", "v1.36.3", "api/openapi-spec/swagger.json")
DEFINITIONS = (
    ("github.com/kedacore/keda/v2", "v2.21.0", "config/crd/bases/keda.sh_scaledobjects.yaml"),
    (
        "github.com/prometheus-operator/prometheus-operator",
        "v0.85.0",
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
    ),
)
VERSIONS = "-".join(version for _, version, _ in (KUBERNETES, *DEFINITIONS))
"""Names a folder of schemas."""

_DATA = {"enum", "required", "default"}
_PREFIX = "#/definitions/"
_LOOSE = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": ["string", "number"]},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["string", "integer"]},
}


def schemas() -> Path:
    """Return the folder with the schemas of all kinds, which are made if need be.

    Raises CalledProcessError, or OSError if there is no Go, if a module cannot be had.
    """
    folder = Path(__file__).parents[2] / ".cache/kubernetes-schemas" / VERSIONS
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent))
        try:
            for name, schema in (*_of_kubernetes(), *_of_resources()):
                (made / f"{name}.json").write_text(json.dumps(schema))
            made.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process that tests has been faster
                raise
        finally:
            shutil.rmtree(made, ignore_errors=True)
    return folder


def _module_file(module: str, version: str, path: str) -> Path:
    """Return a file of a Go module, which is downloaded if need be."""
    with tempfile.TemporaryDirectory() as empty:  # a go.mod around would matter
        command = ["go", "mod", "download", "-json", f"{module}@{version}"]
        told = subprocess.run(command, cwd=empty, capture_output=True, text=True, check=True, timeout=600)
    return Path(json.loads(told.stdout)["Dir"], path)


def _of_kubernetes() -> Iterator[tuple[str, Any]]:
    definitions = json.loads(_module_file(*KUBERNETES).read_text())["definitions"]
    strict = {name: _LOOSE.get(name) or _strict(schema) for name, schema in definitions.items()}
    for name, schema in definitions.items():
        for kind in schema.get("x-kubernetes-group-version-kind", ()):
            group = kind["group"].partition(".")[0]
            file = "-".join(part for part in (kind["kind"].lower(), group, kind["version"]) if part)
            yield file, {"$ref": _PREFIX + name, "definitions": _reachable(name, strict)}


def _of_resources() -> Iterator[tuple[str, Any]]:
    """Yield the schemas of custom resources."""
    for module in DEFINITIONS:
        spec = YAML(typ="safe").load(_module_file(*module))["spec"]
        for version in spec["versions"]:
            schema = version["schema"]["openAPIV3Schema"]
            schema["properties"]["metadata"] = {"type": "object"}
            group = spec["group"].partition(".")[0]
            yield f"{spec['names']['kind'].lower()}-{group}-{version['name']}", _strict(schema)


def _reachable(name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    reachable: dict[str, Any] = {}
    waiting = [name]
    while waiting:
        if (name := waiting.pop()) not in reachable:
            reachable[name] = definitions[name]
            waiting += [reference.removeprefix(_PREFIX) for reference in _references(definitions[name])]
    return reachable


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        schema = list(schema.values())
    if isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


def _strict(schema: Any) -> Any:
    """Return ``schema`` such that objects have no fields but those that it describes."""
    if isinstance(schema, list):
        return [_strict(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["string", "integer"]}
    made = {
        key: value if key in _DATA else _strict(value)
        for key, value in schema.items()
        if key not in {"format", "properties"}  # formats are int32 and the like, which JSON Schema does not know
    }
    if "properties" in schema:
        made["properties"] = {name: _strict(inner) for name, inner in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            made.setdefault("additionalProperties", False)
    return made


if __name__ == "__main__":
    schemas()
