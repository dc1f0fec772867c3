"""Prints what the images install besides glossator: its dependencies and those of the extras named on the command line.

A layer made from this list is written again when the list changes, not whenever pyproject.toml does.

    python requirements.py pyproject.toml language,pii
"""

import re
import sys
import tomllib
from pathlib import Path


def main(file: str, extras: str) -> None:
    """Print one requirement per line; end with a message if there is no such extra."""
    project = tomllib.loads(Path(file).read_text())["project"]
    optional = project["optional-dependencies"]
    wanted = [name for name in re.split(r"[,\s]+", extras) if name]
    requirements = list(project["dependencies"])
    seen: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name not in optional:
            sys.exit(f'there is no extra "{name}", only {", ".join(sorted(optional))}')
        for requirement in () if name in seen else optional[name]:
            others = re.fullmatch(rf"{re.escape(project['name'])}\s*\[(.+)\]", requirement)
            if others:
                wanted += re.split(r"\s*,\s*", others[1])
            else:
                requirements.append(requirement)
        seen.add(name)
    sys.stdout.write("\n".join(sorted(set(requirements))) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
