"""`make items`: which checklist items carry a test (`@pytest.mark.item("M33")`), and which do not."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
COUNT = 217


def covered_items() -> dict[str, list[str]]:
    """{item: names of the tests that carry it}, read from the source of the tests."""
    found: dict[str, list[str]] = {}
    for path in sorted([*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("card_bridge/tests/**/test_*.py")]):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                for item in _items(node):
                    found.setdefault(item, []).append(f"{path.relative_to(ROOT)}::{node.name}")
    return found


def _items(node):
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("mark.item"):
            yield from (argument.value for argument in mark.args)


def main() -> None:
    found = covered_items()
    names = [f"M{number}" for number in range(1, COUNT + 1)]
    unknown = found.keys() - set(names)
    if unknown:
        raise SystemExit(f"no such items: {sorted(unknown)}")
    for name in names:
        if name not in found:
            print(f"{name}: no test")
    print(f"FIGURE items_covered {len(found)} of {COUNT}")


if __name__ == "__main__":
    main()
