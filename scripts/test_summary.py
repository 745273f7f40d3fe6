"""Adds up the reports of `scripts/test.sh` and prints ``N passed, N failed, N skipped``.

Usage: ``python scripts/test_summary.py FOLDER``; the folder holds NAME.status (exit status of a step) and, for each
pytest run that came to its end, NAME.xml (JUnit). Exits with 1 if anything failed or no test ran.
"""

import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

PYTEST_RAN_NO_TEST = 5
"""Exit status of a pytest run in which every file was skipped as a whole."""


@dataclass(frozen=True)
class Counts:
    """Numbers of tests by outcome."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def read_junit(path: Path) -> Counts:
    """Counts of one JUnit file; an error in a fixture counts as a failure."""
    counts = Counts()
    for suite in ElementTree.parse(path).getroot().iter("testsuite"):
        tests, skipped = int(suite.attrib["tests"]), int(suite.attrib["skipped"])
        failed = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
        counts += Counts(tests - failed - skipped, failed, skipped)
    return counts


def read_step(status_path: Path) -> Counts:
    """Counts of one step; a step that failed without a failed test (crash, timeout, linter) is one failure."""
    status = int(status_path.read_text())
    junit = status_path.with_suffix(".xml")
    counts = read_junit(junit) if junit.exists() else Counts()
    whole_file_skipped = status == PYTEST_RAN_NO_TEST and counts.skipped > 0
    if status != 0 and counts.failed == 0 and not whole_file_skipped:
        counts += Counts(failed=1)
    return counts


def main() -> int:
    steps = {path.stem: read_step(path) for path in sorted(Path(sys.argv[1]).glob("*.status"))}
    total = sum(steps.values(), Counts())
    for name in (name for name, counts in steps.items() if counts.failed):
        print(f"failed: {name} ({steps[name]})")
    print(total)
    return 0 if total.failed == 0 and total.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
