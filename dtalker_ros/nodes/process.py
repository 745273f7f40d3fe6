"""Start and end of a node's process: a bad command line is one line, and signals end it with exit code 0."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import rclpy
from rclpy._rclpy_pybind11 import RCLError
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException, NameValidationException
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from dtalker_model.errors import DtalkerError
from dtalker_model.printable import printable

SPIN_S = 0.2
"""Whoever waits for something else looks for a signal this often."""
ECHO_S = 1.0
"""One Ctrl-C comes up to twice within this: from the terminal, and from `ros2 launch`."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
OVER = b"\0"
"""In the place of a signal's number: there is nothing more to watch for."""


Run = Callable[[Any, threading.Event], int]
"""Gets the node and the event that a signal sets; returns the exit code."""


def run_node(make: Callable[[], Any], args: Sequence[str] | None, run: Run) -> int:
    """Make a node, `run` it until it returns its exit code or a signal sets the event, and take everything down.

    Returns the exit code: 1 where ROS refuses the command line or `make` its parameters. It is the last that a process
    does: signals are ignored afterwards, since Python takes its own handlers away as it ends, and would die of one.
    """
    stop = threading.Event()
    try:
        with _signals_set(stop):
            return _run_until(stop, make, args, run)
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def _signals_set(stop: threading.Event) -> Iterator[None]:
    """Inside, a signal sets `stop` at once: Python's handlers wait until the main thread comes back from ROS.

    They do nothing: one that sets `stop` and is itself interrupted by the next signal would wait for its own lock.
    """

    def watch() -> None:
        if os.read(ours, 1) != OVER:
            stop.set()

    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    for number in SIGNALS:
        signal.signal(number, lambda number, frame: None)
    signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)
    watcher = threading.Thread(target=watch, name="dtalker_signals", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)
        os.write(theirs, OVER)
        watcher.join()
        os.close(ours)
        os.close(theirs)


def _run_until(
    stop: threading.Event,
    make: Callable[[], Any],
    args: Sequence[str] | None,
    run: Callable[[Any, threading.Event], int],
) -> int:
    node = None
    try:
        # Our own handlers keep the context valid while the node says goodbye.
        rclpy.init(args=args if args is None else list(args), signal_handler_options=SignalHandlerOptions.NO)
        node = make()
        return run(node, stop)
    except UnicodeEncodeError:
        return _refuse(
            "cannot start: the command line holds bytes that are no UTF-8, which ROS cannot take: link the file"
        )
    except RCLError as error:
        return _refuse(f"cannot start: {_without_places(str(error))}")
    except NameValidationException as error:
        return _refuse(" ".join(str(error).rstrip("^ \n").split()))
    except (InvalidParameterTypeException, InvalidParameterValueException, DtalkerError) as error:
        return _refuse(str(error))
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()


def _refuse(reason: str) -> int:
    rclpy.logging.get_logger("dtalker").fatal(printable(reason))
    return 1


def _without_places(text: str) -> str:
    """rcl's error without the places in its source: what was wrong, and why."""
    return " ".join(text.partition(", at /")[0].split())


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside, for what may take long after a first signal: one more that is no echo is a KeyboardInterrupt, once."""
    begun_s, over = time.monotonic(), False

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal over
        if time.monotonic() - begun_s > ECHO_S and not over:
            over = True
            raise KeyboardInterrupt

    for number in SIGNALS:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        over = True


def spin(node: Any, stop: threading.Event) -> int:
    """Run the node's callbacks until `stop` is set; a failing callback is logged and does not end the node."""
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    waker = threading.Thread(target=lambda: stop.wait() and executor.wake(), name="dtalker_waker", daemon=True)
    waker.start()
    try:
        while not stop.is_set():
            try:
                executor.spin_once(timeout_sec=SPIN_S)
            except Exception as error:
                node.get_logger().error(f"a callback failed: {type(error).__name__}: {error}")
    finally:
        stop.set()
        waker.join()
        executor.remove_node(node)
        executor.shutdown()
    return 0
