"""Declares the parameters of `parameters.py` on an rclpy node and guards their changes."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from dtalker_model.errors import DtalkerError
from dtalker_ros.parameters.parameters import ParameterSpec


def descriptor(spec: ParameterSpec) -> ParameterDescriptor:
    """The ROS descriptor of `spec`: sentence, range, read-only."""
    result = ParameterDescriptor(name=spec.name, description=spec.description, read_only=spec.read_only)
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
        self._declaring = False
        node.add_on_set_parameters_callback(self._on_set)

    def declare(self, specs: Iterable[ParameterSpec]) -> None:
        """Declare `specs`; raises an rclpy exception where a given start value has a wrong type or is out of range."""
        self._declaring = True
        try:
            for spec in specs:
                self._node.declare_parameter(spec.name, spec.default, descriptor(spec))
                self.specs[spec.name] = spec
        finally:
            self._declaring = False

    def undeclare(self, specs: Iterable[ParameterSpec]) -> None:
        """Take back `declare`."""
        for spec in specs:
            if self.specs.pop(spec.name, None) is not None and not spec.read_only:
                self._node.undeclare_parameter(spec.name)

    def values(self) -> dict[str, Any]:
        """All values by name."""
        return {name: self._node.get_parameter(name).value for name in self.specs}

    def set(self, values: Mapping[str, Any]) -> SetParametersResult:
        """Set several at once, all or none, as a client would."""
        return self._node.set_parameters_atomically([Parameter(name, value=value) for name, value in values.items()])

    def _on_set(self, parameters: list[Parameter]) -> SetParametersResult:
        values = {p.name: p.value for p in parameters if p.name in self.specs and p.type_ != Parameter.Type.NOT_SET}
        if not values or self._declaring:
            return SetParametersResult(successful=True)
        try:
            self._changed(values)
        except DtalkerError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)
