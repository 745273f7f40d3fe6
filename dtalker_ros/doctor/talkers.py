"""Whether a talker runs, and what it says about itself."""

from collections import Counter
from collections.abc import Iterator

from dtalker_ros.doctor.finding import Finding, Level
from dtalker_ros.doctor.sights import Sights, Status

PAGE = "docs/troubleshooting.md has each sentence"


def check_talkers(sights: Sights) -> Iterator[Finding]:
    """Each talker that is to be seen."""
    if not sights.talkers:
        yield Finding(Level.WARN, "talker", "none is to be seen", "ros2 launch dtalker talker.launch.py audio:=TOPIC")
    for name, count in Counter(sights.talkers).items():
        if count > 1:
            remedy = "stop one, or give it another name (dtalker_name:=) or namespace"
            yield Finding(Level.WARN, "talker", f"{count} are called {name}", remedy)
        yield _check_status(name, sights.statuses.get(name))


def _check_status(name: str, status: Status | None) -> Finding:
    if status is None:
        remedy = f"`ros2 lifecycle get {name}`: it may not be active; `ros2 lifecycle set {name} activate`"
        return Finding(Level.WARN, "talker", f"{name} is there and says nothing", remedy)
    if status.level == 0:
        return Finding(Level.OK, "talker", f"{name}: {status.message}")
    level = Level.WARN if status.level == 1 else Level.ERROR
    return Finding(level, "talker", f"{name}: {status.message}", PAGE)
