"""Whether time goes on, and is the same for everybody."""

from collections.abc import Iterator

from dtalker_ros.doctor.finding import Finding, Level
from dtalker_ros.doctor.sights import Sights

CLOCK = "/clock"
TOO_EARLY_S = 1_704_067_200
"""The beginning of 2024: a clock that is before it was never set."""
APART_S = 0.25
"""Clocks of two machines that differ by more than this put frames at the wrong time."""
NTP = "set the clock: `timedatectl set-ntp true`, or chrony"


def check_system_clock(now_s: float, step_s: float) -> Finding:
    """Whether this machine's clock is set and goes evenly; `step_s`: by how much it was set while we looked."""
    if now_s < TOO_EARLY_S:
        return Finding(Level.WARN, "clock", "this machine's was never set (no battery, no network?)", NTP)
    if step_s:
        remedy = f"{NTP}; faces go on, but what is stamped jumps"
        return Finding(Level.WARN, "clock", f"this machine's was set by {step_s:+.2f} s while we looked", remedy)
    return Finding(Level.OK, "clock", "this machine's goes evenly")


def check_simulated_time(sights: Sights) -> Iterator[Finding]:
    """Whether somebody sends the time to those who ask for it, and nobody is left out."""
    simulated = {endpoint.node for endpoint in sights.subscribed(CLOCK)}
    publishers = [endpoint.node for endpoint in sights.published(CLOCK)]
    for talker in dict.fromkeys(sights.talkers):
        if talker in simulated and not publishers:
            remedy = "`ros2 bag play --clock`, the simulator, or use_sim_time:=false"
            yield Finding(Level.ERROR, "clock", f"{talker} has use_sim_time, and nobody publishes {CLOCK}", remedy)
        elif talker in simulated and not sights.clock_messages:
            remedy = "let the simulator or the bag go on"
            yield Finding(Level.WARN, "clock", f"{talker} has use_sim_time, and {CLOCK} stands still", remedy)
        elif talker not in simulated and publishers:
            remedy = f"use_sim_time:=true for {talker}, or stop {', '.join(publishers)}"
            yield Finding(Level.WARN, "clock", f"{CLOCK} is published, and {talker} goes by the machine's", remedy)


def check_clocks_agree(sights: Sights) -> Iterator[Finding]:
    """Whether talkers, perhaps on other machines, have our time."""
    simulated = {endpoint.node for endpoint in sights.subscribed(CLOCK)}
    for talker, status in sights.statuses.items():
        if talker not in simulated and abs(status.ahead_s) > APART_S:
            yield Finding(Level.WARN, "clock", f"that of {talker} is {status.ahead_s:+.2f} s ahead of ours", NTP)
