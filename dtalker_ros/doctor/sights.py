"""What was to be seen of the graph, as plain values for the checks."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Endpoint:
    """A publisher or a subscription."""

    node: str
    """Absolute name."""
    topic: str
    type: str
    """Such as ``std_msgs/msg/String``."""
    reliable: bool = True
    latched: bool = False
    """Whether what was sent before is kept for late joiners (transient local)."""


@dataclass(frozen=True)
class Status:
    """What a talker says about itself."""

    level: int
    """0 OK, 1 WARN, 2 ERROR, 3 STALE."""
    message: str
    ahead_s: float = 0.0
    """By how much its clock is ahead of ours, the way included."""


@dataclass(frozen=True)
class Sights:
    """The graph for a moment."""

    rmw: str = ""
    topics: Mapping[str, list[str]] = field(default_factory=dict)
    """Types by topic."""
    talkers: tuple[str, ...] = ()
    """Absolute names of the nodes that publish FaceInfo; two of one name are in it twice."""
    audio: Mapping[str, str] = field(default_factory=dict)
    """Audio topic by talker; under the empty name the one that a talker would hear that is started like the doctor."""
    publishers: tuple[Endpoint, ...] = ()
    subscriptions: tuple[Endpoint, ...] = ()
    """Those of the audio topics, of the talkers' frames, and of the clock."""
    refusals: Mapping[str, str] = field(default_factory=dict)
    """Why messages of a type cannot be heard as audio here, by type."""
    statuses: Mapping[str, Status] = field(default_factory=dict)
    """By talker."""
    clock_messages: int = 0

    def published(self, topic: str) -> list[Endpoint]:
        """Publishers of `topic`."""
        return [endpoint for endpoint in self.publishers if endpoint.topic == topic]

    def subscribed(self, topic: str) -> list[Endpoint]:
        """Subscriptions to `topic`."""
        return [endpoint for endpoint in self.subscriptions if endpoint.topic == topic]


def written(sights: Sights) -> str:
    """`sights` as one line of JSON."""
    return json.dumps(asdict(sights))


def read(text: str) -> Sights:
    """Undoes `written`."""
    values = json.loads(text)
    for name in ("publishers", "subscriptions"):
        values[name] = tuple(Endpoint(**endpoint) for endpoint in values[name])
    values["statuses"] = {name: Status(**status) for name, status in values["statuses"].items()}
    return Sights(**{**values, "talkers": tuple(values["talkers"])})
