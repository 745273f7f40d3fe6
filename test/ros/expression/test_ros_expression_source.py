"""Which type and QoS is subscribed to, with a node that only notes it; hri_msgs is a stand-in with its fields."""

import sys
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from ros_rig import rclpy

# isort: split

from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

from dtalker_model.card import DEFAULT_MODEL, model_path, read_card
from dtalker_ros.expression.expression_source import PLAIN, ExpressionSource
from dtalker_ros.expression.wish import Wish

assert rclpy
HRI = "hri_msgs/msg/Expression"
RELIABLE, BEST_EFFORT = ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT
VOLATILE, LATCHED = DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL


@dataclass
class Expression:
    """The fields of hri_msgs/Expression."""

    expression: str = ""
    valence: float = 0.0
    arousal: float = 0.0
    confidence: float = 0.0


@dataclass
class NotingNode:
    """What `ExpressionSource` uses of a node."""

    publishers: list[Any] = field(default_factory=list)
    subscribed: list[tuple[str, Any, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    poll: Any = None
    hear: Any = None
    destroyed: int = 0

    def resolve_topic_name(self, topic: str) -> str:
        return f"/{topic}"

    def get_publishers_info_by_topic(self, topic: str) -> list[Any]:
        return self.publishers

    def create_subscription(self, kind: Any, topic: str, hear: Any, qos: Any) -> object:
        self.subscribed.append((kind.__name__, qos.reliability, qos.durability))
        self.hear = hear
        return object()

    def create_timer(self, seconds: float, poll: Any, clock: Any) -> object:
        self.poll = poll
        return object()

    def destroy_subscription(self, subscription: object) -> None:
        self.destroyed += 1

    def destroy_timer(self, timer: object) -> None:
        self.destroyed += 1

    def get_logger(self) -> Any:
        return SimpleNamespace(warning=self.warnings.append)

    def offer(self, kind: str, reliability: Any = RELIABLE, durability: Any = VOLATILE) -> None:
        """One more publisher."""
        qos = SimpleNamespace(reliability=reliability, durability=durability)
        self.publishers.append(SimpleNamespace(topic_type=kind, qos_profile=qos))
        self.poll()


class Rig:
    """A source, its node, and what it was asked for."""

    def __init__(self) -> None:
        self.node = NotingNode()
        self.wishes: list[Wish | None] = []
        card = read_card(model_path(DEFAULT_MODEL))
        self.source = ExpressionSource(self.node, lambda: card, self.wishes.append)


@pytest.fixture
def hri_msgs(monkeypatch: pytest.MonkeyPatch) -> None:
    package, module = ModuleType("hri_msgs"), ModuleType("hri_msgs.msg")
    module.Expression = Expression  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "hri_msgs", package)
    monkeypatch.setitem(sys.modules, "hri_msgs.msg", module)


def test_strings_are_subscribed_to_before_anybody_publishes() -> None:
    rig = Rig()
    rig.node.offer(PLAIN)
    assert rig.node.subscribed == [("String", RELIABLE, VOLATILE)]


def test_an_expression_of_hri_msgs_is_heard(hri_msgs: None) -> None:
    rig = Rig()
    rig.node.offer(HRI, durability=LATCHED)
    assert rig.node.subscribed[-1] == ("Expression", RELIABLE, LATCHED)
    rig.node.hear(Expression("scared", confidence=0.5))
    rig.node.hear(Expression(valence=0.0, arousal=0.0))
    assert rig.wishes == [Wish("scared", {"fearful": 1.0}, 0.5), Wish("valence 0.00, arousal 0.00", {})]
    rig.node.hear(Expression("scarred"))
    assert len(rig.wishes) == 2 and "unknown name" in rig.node.warnings[0]


def test_without_hri_msgs_one_line_says_what_to_source() -> None:
    rig = Rig()
    rig.node.offer(HRI)
    rig.node.poll()
    (line,) = rig.node.warnings
    assert line.startswith("cannot hear /expression: message type hri_msgs/msg/Expression is not known here")
    assert len(rig.node.subscribed) == 1


def test_one_type_at_a_time_and_the_other_is_named(hri_msgs: None) -> None:
    rig = Rig()
    rig.node.offer(PLAIN)
    rig.node.offer(HRI)
    assert rig.node.warnings == [f"/expression also carries {HRI}, which is not heard beside {PLAIN}"]
    del rig.node.publishers[0]
    rig.node.poll()
    assert rig.node.subscribed[-1][0] == "Expression"


def test_the_least_that_all_publishers_give_is_asked_for() -> None:
    rig = Rig()
    rig.node.offer(PLAIN, durability=LATCHED)
    rig.node.offer(PLAIN, BEST_EFFORT, LATCHED)
    rig.node.offer(PLAIN)
    assert [qos for _, *qos in rig.node.subscribed] == [
        [RELIABLE, VOLATILE],
        [RELIABLE, LATCHED],
        [BEST_EFFORT, LATCHED],
        [BEST_EFFORT, VOLATILE],
    ]


def test_names_without_end_do_not_fill_the_log() -> None:
    rig = Rig()
    for number in range(1000):
        rig.node.hear(SimpleNamespace(data=f"name{number} x"))
    assert len(rig.node.warnings) == 200


def test_close_leaves_nothing() -> None:
    rig = Rig()
    rig.source.close()
    assert rig.node.destroyed == 2
