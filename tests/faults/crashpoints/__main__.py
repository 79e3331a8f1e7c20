"""`make faults`: kill at every boundary, print what became of it, and exit 1 if it shows.

`BUZZY_FAULTS` is `quick` (a slice), `sampled` (the default) or `all`; `BUZZY_FAULTS_LANES` says how many
worlds run at a time, `BUZZY_FAULTS_ONLY` names boundaries by a part of their line in the table.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from tests.faults.crashpoints import report
from tests.faults.crashpoints.campaign import Tried, choose, record, try_all
from tests.faults.crashpoints.lanes import lanes
from tests.faults.crashpoints.sampling import Extent

FILE = Path("build/faults.json")
NOTES = {
    Extent.QUICK: "a slice, spread over all points",
    Extent.SAMPLED: "after every effect every kill, at its first and last passing in the same state;"
    " before it, and where a scenario before had the same, kills take turns",
    Extent.ALL: "every boundary with every kill, at every passing",
}


def main() -> int:
    """Run it; the exit code: 1 when something differs, or was not tried."""
    extent = Extent(os.environ.get("BUZZY_FAULTS") or Extent.SAMPLED)
    number = int(os.environ.get("BUZZY_FAULTS_LANES") or 2 * (os.cpu_count() or 1))
    only = os.environ.get("BUZZY_FAULTS_ONLY", "")
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    began = time.monotonic()
    with lanes(number) as pool:
        recorded = record(pool)
        chosen = [each for each in choose(recorded, extent) if only in f"{each[0]}: {each[1].boundary}"]
        _say(f"{len(chosen)} kills: {NOTES[extent]}; {number} worlds at a time")
        tried = try_all(pool, recorded, chosen, lambda one, done: _tell(one, done, len(chosen), began))
    seconds = time.monotonic() - began
    report.write(FILE, tried, extent=extent.value, seconds=round(seconds, 1))
    for line in (*report.table(tried), *report.problems(tried)):
        _say(line)
    if len(tried) < len(chosen):
        _say(f"\nended early: {len(chosen) - len(tried)} of {len(chosen)} kills were not tried")
    figures = ", ".join(f"{name} {number}" for name, number in report.totals(tried).items())
    _say(f"\n{figures} ({NOTES[extent]}; {seconds:.0f} s)")
    return int(report.failed(tried) or len(tried) < len(chosen))


def _tell(one: Tried, done: int, of: int, began: float) -> None:
    for line in report.problems([one]):
        sys.stderr.write(f"{line}\n")
    if done % 25 == 0 or done == of:
        sys.stderr.write(f"  {done} of {of} after {time.monotonic() - began:.0f} s\n")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
