"""`python -m benchmarks [name [arguments]]`: one benchmark, or all; each prints lines `FIGURE <name> <value> <unit>`."""

import importlib
import sys
from pathlib import Path

SHARED = ("__main__", "exporters", "house")
MODULES = {"import": "imports"}  # a module cannot be called import


def names() -> list[str]:
    spoken = {module: name for name, module in MODULES.items()}
    found = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in SHARED)
    return [spoken.get(each, each) for each in found]


def main(name: str = "", *arguments: str) -> None:
    if name and name not in names():
        sys.exit(f"{name}: unknown; there are {', '.join(names())}")
    for each in [name] if name else names():
        print(f"== {each}", flush=True)
        importlib.import_module(f"benchmarks.{MODULES.get(each, each)}").main(*map(int, arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
