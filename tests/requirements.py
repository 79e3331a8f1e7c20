"""Print each promise with the tests that prove it; fail when one has none.

Run as `make requirements`. A test says what it proves with `@pytest.mark.requirement("D3")`.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
from rich.console import Console

HERE = Path(__file__).parent


class Collector:
    """A pytest plugin that notes which test claims which rows."""

    def __init__(self) -> None:
        """Nothing is claimed yet."""
        self.claims: dict[str, set[str]] = defaultdict(set)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note the claims of every collected test; its parameters count as one."""
        for item in items:
            for marker in item.iter_markers("requirement"):
                for row in marker.args:
                    self.claims[row].add(item.nodeid.split("[")[0])


def main() -> int:
    """Print the table; 1 when a row has no test or a test names a row that is not there."""
    table: dict[str, dict[str, str]] = tomllib.loads((HERE / "requirements.toml").read_text())
    rows = table["kept"] | table["begun"]
    collector = Collector()
    folders = [str(HERE / name) for name in ("unit", "integration", "e2e", "faults")]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = pytest.main(["--collect-only", "-qq", *folders], plugins=[collector])
    if code != pytest.ExitCode.OK:
        sys.stdout.write(said.getvalue())
        return int(code)
    console = Console(highlight=False)
    for row, promise in rows.items():
        tests = sorted(collector.claims[row])
        part = "" if row in table["kept"] else " [yellow](in part)[/]"
        console.print(f"[bold]{row}[/]{part} {promise}", soft_wrap=True)
        for test in tests or ["[red]no test proves it[/]"]:
            console.print(f"    {test}", soft_wrap=True)
    unproven = [row for row in rows if not collector.claims[row]]
    unknown = sorted(set(collector.claims) - set(rows))
    console.print(
        f"{len(table['kept'])} promises kept, {len(table['begun'])} in part; without a test: {len(unproven)}."
    )
    if unknown:
        console.print(f"Rows that are not in requirements.toml: {', '.join(unknown)}")
    return 1 if unproven or unknown else 0


if __name__ == "__main__":
    sys.exit(main())
