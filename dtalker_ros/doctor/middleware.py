"""What the environment says about ROS 2: which middleware, which domain, how far it sees."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from dtalker_ros.doctor.finding import Finding, Level

HIGHEST_DOMAIN, HIGHEST_SAFE_DOMAIN = 232, 101
"""Above the first there are no ports; above the second Linux gives them to other programs."""
PROFILES = (
    "FASTRTPS_DEFAULT_PROFILES_FILE",
    "FASTDDS_DEFAULT_PROFILES_FILE",
    "CYCLONEDDS_URI",
    "ZENOH_SESSION_CONFIG_URI",
)
"""Variables that name a file with settings of the middleware."""


def check_distribution(environment: Mapping[str, str]) -> Finding:
    """Which ROS 2 is sourced."""
    distribution = environment.get("ROS_DISTRO", "")
    if not distribution:
        return Finding(Level.OK, "ROS 2", "none is sourced; rclpy comes from this Python's own packages")
    return Finding(Level.OK, "ROS 2", distribution)


def check_rmw(identifier: str, environment: Mapping[str, str]) -> Finding:
    """Which middleware is in use; `identifier`: what rclpy says, or why it cannot start."""
    asked = environment.get("RMW_IMPLEMENTATION", "")
    if asked and identifier != asked:
        package = f"ros-{environment.get('ROS_DISTRO', 'DISTRO')}-{asked.replace('_', '-')}"
        remedy = f"apt install {package}, or unset the variable"
        return Finding(Level.ERROR, "middleware", f"RMW_IMPLEMENTATION is {asked}, but: {identifier}", remedy)
    remedy = "all machines must use the same: it is a variable, RMW_IMPLEMENTATION" if not asked else ""
    return Finding(Level.OK, "middleware", f"{identifier}{', as RMW_IMPLEMENTATION says' if asked else ''}", remedy)


def check_domain(environment: Mapping[str, str]) -> Finding:
    """Whether the domain's number can be used."""
    text = environment.get("ROS_DOMAIN_ID", "") or "0"
    if not text.isdecimal() or int(text) > HIGHEST_DOMAIN:
        remedy = "export ROS_DOMAIN_ID=N, 0 to 101, the same on all machines"
        return Finding(Level.ERROR, "domain", f"ROS_DOMAIN_ID is {text!r}, which is no domain", remedy)
    if int(text) > HIGHEST_SAFE_DOMAIN:
        remedy = f"take a number up to {HIGHEST_SAFE_DOMAIN}: above it the ports may be in use by other programs"
        return Finding(Level.WARN, "domain", text, remedy)
    return Finding(Level.OK, "domain", text)


def check_reach(environment: Mapping[str, str]) -> Finding:
    """Whether other machines can be seen."""
    reach = environment.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "").upper()
    if reach == "OFF":
        remedy = "unset ROS_AUTOMATIC_DISCOVERY_RANGE, or name the others in ROS_STATIC_PEERS"
        return Finding(Level.WARN, "reach", "discovery is off: only static peers are seen", remedy)
    if reach == "LOCALHOST" or environment.get("ROS_LOCALHOST_ONLY") == "1":
        return Finding(Level.OK, "reach", "this machine alone, as the environment says")
    return Finding(Level.OK, "reach", "the network, as far as multicast and firewalls let it")


def check_profiles(
    environment: Mapping[str, str], is_file: Callable[[str], bool] = lambda name: Path(name).is_file()
) -> Iterator[Finding]:
    """Whether the files with settings of the middleware are there."""
    for variable in PROFILES:
        name = environment.get(variable, "").strip().removeprefix("file://")
        if name and not name.startswith("<") and not is_file(name):
            remedy = "name a file that is there, or unset the variable"
            yield Finding(Level.ERROR, "middleware", f"{variable} names {name}, which is no file", remedy)
