"""Prints the largest files and functions: where a seam may be missing. Never fails; people judge."""

from __future__ import annotations

import ast
import itertools
from pathlib import Path

ROOT = Path(__file__).parent.parent
SHOWN = 5


def functions(path: Path) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            found.append((lines, f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"))
    return found


def main() -> None:
    files = [p for p in sorted((ROOT / "edgeinfer").rglob("*.py")) if "models" not in p.parts]
    sizes = sorted(((len(p.read_text().splitlines()), str(p.relative_to(ROOT))) for p in files), reverse=True)
    longest = sorted(itertools.chain.from_iterable(map(functions, files)), reverse=True)
    print(f"{len(files)} files, {sum(n for n, _ in sizes)} lines")
    print("largest files:", *(f"  {n:4} {name}" for n, name in sizes[:SHOWN]), sep="\n")
    print("largest functions:", *(f"  {n:4} {name}" for n, name in longest[:SHOWN]), sep="\n")


if __name__ == "__main__":
    main()
