"""The talker node inside the test's own process, spun by a thread, for what needs no second process."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ros_rig import SPIN_S, rclpy

# isort: split

from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter

from dtalker_ros.nodes.talker_node import TalkerNode


@contextmanager
def node(started: bool = True, **parameters: Any) -> Iterator[TalkerNode]:
    """A talker node, configured and active if `started`, whose callbacks run in a thread."""
    gc.collect()  # a former node of this name that goes later takes the new one's log with it: rcl keeps them by name
    context = rclpy.Context()
    context.init()
    overrides = [Parameter(name.replace("__", "."), value=value) for name, value in parameters.items()]
    talker_node = TalkerNode(context=context, parameter_overrides=overrides)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(talker_node)
    stop = threading.Event()

    def spin() -> None:
        while not stop.is_set():
            executor.spin_once(timeout_sec=SPIN_S)

    thread = threading.Thread(target=spin)
    try:
        if started:
            assert talker_node.start()
        thread.start()
        yield talker_node
    finally:
        stop.set()
        if thread.is_alive():
            thread.join()
        executor.shutdown()
        talker_node.destroy_node()
        context.try_shutdown()
