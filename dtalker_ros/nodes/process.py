"""Start and end of a node's process: signals end it with exit code 0 and without a traceback."""

import signal
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import rclpy
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from dtalker_model.errors import DtalkerError

SPIN_S = 0.2
"""A signal is noticed within this."""


def run_node(make: Callable[[], Any], args: Sequence[str] | None, run: Callable[[Any, threading.Event], int]) -> int:
    """Make a node, `run` it until it returns its exit code or a signal sets the event, and take everything down.

    Returns the exit code: 1 where `make` refuses its parameters.
    """
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    # Our own handlers keep the context valid while the node says goodbye.
    rclpy.init(args=args if args is None else list(args), signal_handler_options=SignalHandlerOptions.NO)
    node = None
    try:
        node = make()
        return run(node, stop)
    except (InvalidParameterTypeException, InvalidParameterValueException, DtalkerError) as error:
        rclpy.logging.get_logger("dtalker").fatal(str(error))
        return 1
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()


def spin(node: Any, stop: threading.Event) -> int:
    """Run the node's callbacks until `stop` is set; a failing callback is logged and does not end the node."""
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        while not stop.is_set():
            try:
                executor.spin_once(timeout_sec=SPIN_S)
            except Exception as error:
                node.get_logger().error(f"a callback failed: {type(error).__name__}: {error}")
    finally:
        executor.remove_node(node)
        executor.shutdown()
    return 0
