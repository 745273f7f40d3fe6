"""Declares the parameters of `parameters.py` on an rclpy node and guards their changes."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from dtalker_model.errors import DtalkerError, SettingError
from dtalker_ros.parameters.parameters import ParameterSpec

FOREIGN = ("qos_overrides.",)
"""Beginnings of parameters that rclpy declares when it needs them."""


def descriptor(spec: ParameterSpec) -> ParameterDescriptor:
    """The ROS descriptor of `spec`: sentence, range, read-only.

    A number with a fraction takes whole ones too, as YAML and `ros2 param set` write them; rclpy calls that dynamic.
    """
    result = ParameterDescriptor(name=spec.name, description=spec.description, read_only=spec.read_only)
    result.dynamic_typing = isinstance(spec.default, float)
    if spec.range is not None and isinstance(spec.default, float):
        low, high = spec.range
        result.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high), step=0.0)]
    elif spec.range is not None:
        result.integer_range = [IntegerRange(from_value=int(spec.range[0]), to_value=int(spec.range[1]), step=1)]
    return result


class NodeParameters:
    """The declared parameters of a node: their values, and one check for every change."""

    def __init__(self, node: Node, changed: Callable[[Mapping[str, Any]], None]) -> None:
        """`changed` gets the new values by name before they are stored; it raises `DtalkerError` to refuse them."""
        self._node, self._changed = node, changed
        self.specs: dict[str, ParameterSpec] = {}
        self._descriptors: dict[str, ParameterDescriptor] = {}
        self._said: set[str] = set()
        self._declaring = False
        node.add_on_set_parameters_callback(self._on_set)

    def declare(self, specs: Iterable[ParameterSpec]) -> None:
        """Declare `specs`; raises an rclpy exception where a given start value has a wrong type or is out of range."""
        self._declaring = True
        try:
            for spec in specs:
                self.specs[spec.name] = spec
                self._descriptors[spec.name] = descriptor(spec)
                self._node.declare_parameter(spec.name, spec.default, self._descriptors[spec.name])
        except Exception:
            del self.specs[spec.name]
            raise
        finally:
            self._declaring = False

    def undeclare(self, specs: Iterable[ParameterSpec]) -> None:
        """Take back `declare`."""
        for spec in specs:
            if self.specs.pop(spec.name, None) is not None and not spec.read_only:
                self._node.undeclare_parameter(spec.name)

    def add_to_description(self, name: str, text: str) -> None:
        """Let `text`, in place of any before, follow the sentence that describes the parameter `name`."""
        fresh, before = descriptor(self.specs[name]), self._descriptors[name]
        fresh.description, fresh.type = f"{fresh.description} {text}", before.type
        if fresh.description == before.description:
            return
        self._descriptors[name] = fresh
        self._node.set_descriptor(name, fresh)

    def say_unknown(self) -> None:
        """Warn once of each value that was given at the start and that no parameter took: a slip, most likely."""
        given = getattr(self._node, "_parameter_overrides", {})  # rclpy has no public way to them
        unknown = [name for name in given if not self._node.has_parameter(name) and not name.startswith(FOREIGN)]
        fresh = sorted(set(unknown) - self._said)
        self._said.update(fresh)
        if fresh:
            named = ", ".join(map(self._with_suggestion, fresh))
            self._node.get_logger().warning(f"parameters that are not known here and not used: {named}")

    def values(self) -> dict[str, Any]:
        """All values by name."""
        return {name: self._value(spec) for name, spec in self.specs.items()}

    def _value(self, spec: ParameterSpec) -> Any:
        """rclpy takes an empty list, whose type it cannot tell, for no value."""
        if self._node.get_parameter_or(spec.name).type_ != Parameter.Type.NOT_SET:
            return self._node.get_parameter(spec.name).value
        if not isinstance(spec.default, list):
            raise SettingError(f"{spec.name}: received an empty list, expecting a value such as {spec.default!r}")
        return []

    def set(self, values: Mapping[str, Any]) -> SetParametersResult:
        """Set several at once, all or none, as a client would."""
        return self._node.set_parameters_atomically([Parameter(name, value=value) for name, value in values.items()])

    def _on_set(self, parameters: list[Parameter]) -> SetParametersResult:
        try:
            self._make_doubles(parameters)
            values = {p.name: p.value for p in parameters if p.name in self.specs}
            if values and not self._declaring:
                self._changed(values)
        except DtalkerError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _make_doubles(self, parameters: list[Parameter]) -> None:
        """Replace whole numbers in `parameters`, which rclpy stores next, by doubles where the parameter is one.

        Raises `SettingError` for what is no number or out of range.
        """
        for place, parameter in enumerate(parameters):
            spec = self.specs.get(parameter.name)
            if spec is None or not isinstance(spec.default, float):
                continue
            self._descriptors[spec.name].type = Parameter.Type.DOUBLE.value
            if parameter.type_ == Parameter.Type.INTEGER:
                parameters[place] = Parameter(spec.name, Parameter.Type.DOUBLE, _in_range(spec, float(parameter.value)))
            elif parameter.type_ != Parameter.Type.DOUBLE:
                raise SettingError(f"{spec.name}: received {parameter.value!r}, expecting type 'DOUBLE', a number")

    def _with_suggestion(self, name: str) -> str:
        close = difflib.get_close_matches(name, list(self.specs), n=1)
        return f"{name} (did you mean {close[0]}?)" if close else name


def _in_range(spec: ParameterSpec, value: float) -> float:
    """`value`; raises `SettingError` as rclpy does for doubles."""
    if spec.range is not None and not spec.range[0] <= value <= spec.range[1]:
        low, high = map(float, spec.range)
        raise SettingError(f"Parameter {spec.name} out of range. Min: {low}, Max: {high}, value: {value}")
    return value
