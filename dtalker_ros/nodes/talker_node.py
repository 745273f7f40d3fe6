"""The talker node: audio in on `audio`, a face out on `blendshapes`.

`configure` loads the model and warms it up, `activate` opens the tap, `deactivate` closes it, `cleanup` frees. With
`autostart` the node does the first two by itself.
"""

import contextlib
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from rclpy._rclpy_pybind11 import RCLError
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

import dtalker_model
from dtalker_model.errors import DtalkerError
from dtalker_model.rates import SAMPLE_RATE_HZ
from dtalker_model.settings import Settings
from dtalker_model.talker import hears
from dtalker_model.voices.voices import Voice, unknown_names
from dtalker_model.voices.voices_library import voices_for
from dtalker_ros.enroll_service import EnrollService
from dtalker_ros.expression.expressed_talker import ExpressedTalker
from dtalker_ros.nodes.process import run_node, spin
from dtalker_ros.outputs import Outputs
from dtalker_ros.parameters.node_parameters import NodeParameters
from dtalker_ros.parameters.parameters import (
    NODE_PARAMETERS,
    ParameterSpec,
    declared_format,
    setting_changes,
    setting_parameters,
    timeline_config,
)
from dtalker_ros.tap import Tap

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class TalkerNode(LifecycleNode):
    """Managed node `dtalker`."""

    def __init__(self, **options: Any) -> None:
        super().__init__("dtalker", **options)
        self.parameters = NodeParameters(self, self._on_change)
        self.parameters.declare((*NODE_PARAMETERS, *setting_parameters(())))
        self._of_model: tuple[ParameterSpec, ...] = ()
        self.talker: Any = None
        self._outputs: Outputs | None = None
        self._tap: Tap | None = None
        self._enrolment: EnrollService | None = None
        self._guard_transitions()

    def _guard_transitions(self) -> None:
        """Answer a request for an impossible transition with success false; rclpy raises instead and never answers."""
        service = getattr(self, "_service_change_state", None)  # rclpy has no public way to it
        if service is None:
            return
        change = service.callback

        def guarded(request: Any, response: Any) -> Any:
            try:
                return change(request, response)
            except RCLError as error:
                self.get_logger().error(f"transition refused: {error}")
                response.success = False
                return response

        service.callback = guarded

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model, warm it up, offer the topics."""
        try:
            self._load()
            self._outputs = Outputs(self)
            model = self.get_parameter("model").value
            self._enrolment = EnrollService(
                self, model, lambda: self._tap is not None, lambda voice: self._know([voice])
            )
        except Exception as error:  # a foreign file may raise anything, and rclpy would end without a word
            self._refuse("configure", error)
            self._free()
            return FAILURE
        self.parameters.say_unknown()
        return SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the tap: hear, compute, publish."""
        assert self.talker is not None
        assert self._outputs is not None
        assert self._enrolment is not None
        try:
            self._tap = Tap(self, self.talker, self._outputs, self.parameters, self._enrolment.hear)
        except Exception as error:
            self._refuse("activate", error)
            return FAILURE
        return SUCCESS

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Close the tap; what waits is dropped."""
        self._close_tap()
        return SUCCESS

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the model and the topics."""
        self._free()
        return SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Close and free, from any state."""
        self.on_deactivate(state)
        self._free()
        return SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """After an unexpected error in a transition: back to unconfigured."""
        return self.on_shutdown(state)

    def start(self) -> bool:
        """Configure and activate; whether that succeeded."""
        return self.trigger_configure() == SUCCESS and self.trigger_activate() == SUCCESS

    def destroy_node(self) -> None:
        """Close and free whatever is open, then destroy the node."""
        self._close_tap()
        super().destroy_node()

    def _refuse(self, transition: str, error: Exception) -> None:
        reason = str(error) if isinstance(error, DtalkerError) else f"{type(error).__name__}: {error}"
        self.get_logger().fatal(f"cannot {transition}: {' '.join(reason.split())}")

    def _close_tap(self) -> None:
        if self._tap is not None:
            self._tap.close()
            self._tap = None
        if self._enrolment is not None:
            self._enrolment.stop("the node was deactivated")

    def _load(self) -> None:
        values = self.parameters.values()
        timeline_config(values)
        declared_format(values, None)
        self.talker = ExpressedTalker(dtalker_model.load(values["model"], threads=values["threads"]))
        self._declare_of_model()
        changes = setting_changes(self.parameters.values(), self.parameters.specs, Settings())
        self._look_up_voices(changes)
        self.talker.set(**changes)
        self.talker.push(np.zeros((SAMPLE_RATE_HZ, 1), np.int16), SAMPLE_RATE_HZ)
        self.talker.reset()

    def _declare_of_model(self) -> None:
        """Declare what goes with the emotions that the talker knows by now."""
        known = self.parameters.specs
        card = self.talker.card
        fresh = tuple(spec for spec in setting_parameters(card.emotions) if spec.name not in known)
        self.parameters.declare(fresh)
        self._of_model += fresh
        lacking = "" if hears(card) else " It has no listener: neither 'live' nor enrolled voices."
        for name, offered in (("identity", card.identities), ("emotion", card.emotions)):
            self.parameters.add_to_description(name, f"Names of {card.name}: {', '.join(offered)}.{lacking}")

    def _know(self, voices: Iterable[Voice]) -> None:
        """Enrolled voices are identities and emotions from now on."""
        if self.talker is not None:
            with self._tap.engine.lock if self._tap is not None else contextlib.nullcontext():
                self.talker.add_voices(voices)
            self._declare_of_model()

    def _look_up_voices(self, changes: Mapping[str, Any]) -> None:
        """Know the voices that `changes` name as they are in the library now; raises `DtalkerError`."""
        asked = Settings().replace(**changes)
        if unknown_names(asked, self.talker.model_card):
            self._know(voices_for(self.talker.model_card, asked))

    def _free(self) -> None:
        if self._enrolment is not None:
            self._enrolment.close()
        if self._outputs is not None:
            self._outputs.close()
        self.parameters.undeclare(self._of_model)
        self._outputs, self.talker, self._of_model, self._enrolment = None, None, (), None

    def _on_change(self, values: Mapping[str, Any]) -> None:
        """Check changed parameters and let them take effect; raises `DtalkerError` to refuse all of them."""
        every = {**self.parameters.values(), **values}
        timeline_config(every)
        changes = self._changes(values)
        if self.talker is None:
            Settings().replace(**changes)
            return
        self._look_up_voices(changes)
        if self._tap is None:
            self.talker.set(**changes)
        else:
            self._tap.engine.set(changes)
            self._tap.change(every)

    def _changes(self, values: Mapping[str, Any]) -> dict[str, Any]:
        settings = Settings() if self.talker is None else self.talker.settings
        return setting_changes(values, self.parameters.specs, settings)


def _run(node: TalkerNode, stop: threading.Event) -> int:
    if node.get_parameter("autostart").value and not node.start():
        return 1
    return spin(node, stop)


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until a signal; returns the exit code."""
    return run_node(TalkerNode, args, _run)


if __name__ == "__main__":
    sys.exit(main())
