"""The worker's complaints reach rclpy's log, errors and warnings alike."""

from collections.abc import Iterator
from typing import Any

import pytest
from ros_rig import Listener, listener, rclpy

# isort: split

from rclpy.node import Node

from dtalker_ros.worker import Complaints, OwnLines

__all__ = ["listener"]


@pytest.fixture
def node() -> Iterator[Any]:
    context = rclpy.Context()
    context.init()
    made = Node("complains", context=context)
    yield made
    made.destroy_node()
    context.try_shutdown()


def test_an_error_and_a_warning_through_one_complaint(listener: Listener, node: Any) -> None:
    """With rclpy's own logger the second raises, and took the worker's thread with it."""
    complain, log = Complaints(), OwnLines(node.get_logger())
    complain(log.error, "audio refused", 0)
    complain(log.warning, "late", 0)
    complain(log.error, "unexpected", 0)
    for text in ("audio refused", "late", "unexpected"):
        listener.logged(text)
    complain, bare = Complaints(), node.get_logger()
    complain(bare.error, "audio refused", 0)
    with pytest.raises(ValueError, match="severity cannot be changed"):
        complain(bare.warning, "late", 0)
