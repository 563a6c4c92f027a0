"""`python -m benchmarks [name [arguments]]`: one benchmark, or all; each prints lines `FIGURE <name> <value> <unit>`.

What was printed goes into `docs/figures.md`, with the day and the machine, so that figures are never typed.
"""

import os
import platform
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

SHARED = ("__main__", "exporters", "house")
MODULES = {"import": "imports"}  # a module cannot be called import
FILE = Path(__file__).parents[1] / "docs" / "figures.md"
ROW = re.compile(r"^\| `(\w+)` \| (.*) \|$", re.MULTILINE)
BARS = {
    "page_ratio": "≤ 30", "first_visit_kb": "≤ 60", "later_page_kb": "≤ 12", "tour_short_pages": "≤ 12",
    "tour_short_typed": "≤ 8", "tour_long_pages": "≤ 40", "import_ratio": "≤ 0.5", "import_peak_mb": "≤ 250",
    "push_orders_per_minute": "≥ 300000", "push_sm2_orders_per_minute": "≥ 300000", "orders_list_ratio": "≤ 2",
    "lists_ratio": "≤ 2", "bridge_ratio": "≥ 0.9", "bridge_sm2_ratio": "≥ 0.9",
    "bridge_ratio_at_200_a_minute": "≥ 0.9", "bridge_sm2_ratio_at_200_a_minute": "≥ 0.9",
}  # fmt: skip


def names() -> list[str]:
    spoken = {module: name for name, module in MODULES.items()}
    found = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in SHARED)
    return [spoken.get(each, each) for each in found]


def main(name: str = "", *arguments: str) -> None:
    if name and name not in names():
        sys.exit(f"{name}: unknown; there are {', '.join(names())}")
    for each in [name] if name else names():
        print(f"== {each}", flush=True)
        keep(run(MODULES.get(each, each), arguments), each, arguments)


def run(module: str, arguments) -> list[str]:
    """Prints what the benchmark prints; gives its lines. A benchmark that fails ends all."""
    code = f"import benchmarks.{module} as it; it.main(*{[int(each) for each in arguments]})"
    lines = []
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line.rstrip())
    if process.returncode:
        sys.exit(process.returncode)
    return lines


def keep(lines: list[str], name: str, arguments) -> None:
    """The newest figure of each name, with where and when it was taken. What stands below the table stays."""
    before = FILE.read_text("utf-8") if FILE.exists() else ""
    rows, below = dict(ROW.findall(before)), before[before.find("\n## ") :] if "\n## " in before else ""
    where = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    command = " ".join(["make bench", f"NAME={name}"] if not arguments else ["python -m benchmarks", name, *arguments])
    for line in lines:
        if line.startswith("FIGURE "):
            figure, value = line.split(" ", 2)[1:]
            rows[figure] = f"{value} | {BARS.get(figure, '')} | {date.today():%Y-%m-%d}, {where} | `{command}`"
    table = "\n".join(f"| `{figure}` | {row} |" for figure, row in sorted(rows.items()))
    FILE.write_text(
        f"# Figures\n\nWritten by `make bench`: the newest figure of each name, beside its bar.\n\n{HEAD}\n{table}\n{below}",
        "utf-8",
    )


HEAD = "| figure | value | bar | taken | command |\n|---|---|---|---|---|"

if __name__ == "__main__":
    main(*sys.argv[1:])
