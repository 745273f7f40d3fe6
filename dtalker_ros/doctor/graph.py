"""The topics: whether audio comes, of which type, and whether each publisher is heard by whoever subscribes."""

from collections.abc import Iterator

from dtalker_ros.audio.audio_topics import hint
from dtalker_ros.doctor.finding import Finding, Level
from dtalker_ros.doctor.sights import Endpoint, Sights


def check_audio(sights: Sights) -> Iterator[Finding]:
    """Each audio topic: whether somebody publishes, what, and how many."""
    for topic in dict.fromkeys(sights.audio.values()):
        publishers = sights.published(topic)
        if not publishers:
            text, _, remedy = hint(topic, sights.topics.items()).rpartition(": ")
            if "Choose one" in text:
                text, _, remedy = hint(topic, sights.topics.items()).rpartition(". ")
            yield Finding(Level.WARN, "audio", text, remedy)
        for kind in dict.fromkeys(endpoint.type for endpoint in publishers):
            yield _check_type(
                topic, kind, sights.refusals.get(kind, ""), [p.node for p in publishers if p.type == kind]
            )
        if len(publishers) > 1:
            names = ", ".join(endpoint.node for endpoint in publishers)
            remedy = "only one is heard at a time: stop the others, or give each a topic of its own"
            yield Finding(Level.WARN, "audio", f"{topic} has {len(publishers)} publishers: {names}", remedy)


def _check_type(topic: str, kind: str, reason: str, nodes: list[str]) -> Finding:
    if reason:
        return Finding(Level.ERROR, "audio", f"{topic} of {nodes[0]}: {reason}", _after_colon(reason))
    return Finding(Level.OK, "audio", f"{topic} carries {kind}, from {', '.join(dict.fromkeys(nodes))}")


def _after_colon(reason: str) -> str:
    advice = reason.rpartition(": ")[2]
    return advice if advice != reason else "publish one of the audio messages in the README"


def check_qos(sights: Sights) -> Iterator[Finding]:
    """Every publisher with every subscription of its topic."""
    for publisher in sights.publishers:
        for subscription in sights.subscribed(publisher.topic):
            reason, remedy = _mismatch(publisher, subscription)
            if reason:
                yield Finding(
                    Level.ERROR,
                    "QoS",
                    f"{subscription.node} does not hear {publisher.node} on {publisher.topic}: {reason}",
                    remedy,
                )


def _mismatch(publisher: Endpoint, subscription: Endpoint) -> tuple[str, str]:
    """Why nothing gets from one to the other, and what to do; empty where it does."""
    if publisher.type != subscription.type:
        reason = f"it sends {publisher.type}, and {subscription.type} is subscribed to"
        return reason, "give each type a topic of its own, or remap one of the two"
    if subscription.reliable and not publisher.reliable:
        return (
            "best effort is offered, reliable is asked for",
            "let the publisher be reliable, or subscribe best effort",
        )
    if subscription.latched and not publisher.latched:
        reason = "nothing is kept for late joiners (volatile), and transient local is asked for"
        return reason, "subscribe with durability volatile"
    return "", ""
