"""The settings of a talker node, read and set through its parameter services."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.msg import ParameterEvent
from rcl_interfaces.srv import GetParameters, SetParametersAtomically
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.parameter import Parameter, parameter_value_to_python

from dtalker_model.settings import Settings
from dtalker_ros.parameters.parameters import NODE_PARAMETERS, ParameterSpec, setting_changes, setting_parameters

Answer = Callable[[bool, str], None]
"""Called with whether it was done, and if not, why."""
ANSWER_S = 3.0
"""A talker that does not answer within this is dead, even if the graph still shows it."""
POLL_S = 0.5


def parameter_changes(
    changes: Mapping[str, Any], specs: Mapping[str, ParameterSpec], settings: Settings
) -> dict[str, Any]:
    """Changes of `Settings` as ROS parameters; an entry that a mapping has lost gets its default.

    Raises `SettingError` for what `Settings` refuses; names of identities and emotions are for the node to check.
    """
    wanted = settings.replace(**changes)
    values: dict[str, Any] = {}
    for spec in specs.values():
        field, key = spec.setting or ("", "")
        if field in changes:
            value = getattr(wanted, field)
            values[spec.name] = value.get(key, spec.default) if key else value
    return values


class RemoteSettings:
    """Follows the parameters of the node `talker`. Everything runs in the executor of `node`."""

    def __init__(self, node: Node, talker: str, changed: Callable[[], None]) -> None:
        """`changed` is called when `settings` or `own` are new."""
        self._node, self._changed = node, changed
        self._talker = talker
        self.settings = Settings()
        self.own = {spec.name: spec.default for spec in NODE_PARAMETERS}
        """The talker's parameters that are not settings."""
        self.specs: dict[str, ParameterSpec] = {}
        self._get = node.create_client(GetParameters, f"{talker}/get_parameters")
        self._set = node.create_client(SetParametersAtomically, f"{talker}/set_parameters_atomically")
        self._waiting: dict[Any, tuple[float, Answer]] = {}
        node.create_subscription(ParameterEvent, "/parameter_events", self._on_event, 100)
        # Not the node's clock: it may be a simulated one that stands still.
        node.create_timer(POLL_S, self._give_up, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def learn(self, emotions: list[str]) -> None:
        """The talker's model is known: ask for the values of all parameters that go with it."""
        self.specs = {spec.name: spec for spec in setting_parameters(emotions)}
        names = [*self.specs, *self.own]

        def on_values(future: Any) -> None:
            values = [parameter_value_to_python(value) for value in future.result().values]
            self._take({name: value for name, value in zip(names, values) if value is not None})

        self._get.call_async(GetParameters.Request(names=names)).add_done_callback(on_values)

    def request(self, changes: Mapping[str, Any], answer: Answer) -> None:
        """Ask the node for `changes` of settings, all or none; raises `SettingError`."""
        values = parameter_changes(changes, self.specs, self.settings)
        if not self._set.service_is_ready():
            answer(False, f"{self._talker} does not answer")
            return
        parameters = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]

        future = self._set.call_async(SetParametersAtomically.Request(parameters=parameters))
        self._waiting[future] = time.monotonic() + ANSWER_S, answer
        future.add_done_callback(self._on_result)

    def _on_result(self, future: Any) -> None:
        if future in self._waiting:
            result = future.result().result
            self._waiting.pop(future)[1](bool(result.successful), str(result.reason))

    def _give_up(self) -> None:
        """Answer for a talker that has died."""
        for future in [future for future, (end_s, _) in self._waiting.items() if time.monotonic() > end_s]:
            answer = self._waiting.pop(future)[1]
            self._set.remove_pending_request(future)
            answer(False, f"{self._talker} did not answer within {ANSWER_S:g} s: is it still running?")

    def _on_event(self, event: Any) -> None:
        if event.node.lstrip("/") == self._talker.lstrip("/"):
            self._take(dict(map(_plain, [*event.new_parameters, *event.changed_parameters])))

    def _take(self, values: Mapping[str, Any]) -> None:
        known = {name: value for name, value in values.items() if name in self.specs}
        self.settings = self.settings.replace(**setting_changes(known, self.specs, self.settings))
        self.own.update({name: value for name, value in values.items() if name in self.own})
        self._changed()


def _plain(parameter: ParameterMessage) -> tuple[str, Any]:
    return parameter.name, parameter_value_to_python(parameter.value)
