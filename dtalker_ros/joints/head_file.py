"""Reads a head from its YAML. docs/joints.md describes every key; whatever is wrong is one `SettingError`."""

import re
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from dtalker_model.errors import SettingError
from dtalker_ros.joints.head import CHANNELS, UNITS, Head, HeatModel, Joint, Limits, Rule
from dtalker_ros.joints.keys import Keys, checked_number, one_of

FEASIBLE = 1e-9
"""Rounding of a rule at the neutral positions."""
LEAST_FACTOR = 1e-6
"""A rule needs a factor of at least this."""


def read_head(path: Path) -> Head:
    """The head that the file describes; raises `SettingError` with file, joint, key and what is expected."""
    if path == Path():
        raise SettingError("head: names no file, such as -p head:=launch/heads/jaw.yaml")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise SettingError(f"head: cannot read {path}: {error}") from None
    return parse_head(text, path.name)


def parse_head(text: str, place: str) -> Head:
    """The head that `text` describes; `place` is its file's name, for errors."""
    keys = Keys(_loaded(text, place), place)
    joints = keys.keys("joints")
    head = Head(
        joints=tuple(_joint(joints.keys(name, place=f"{place}: joint {name}"), name) for name in joints.names()),
        rules=tuple(_rules(keys)),
        soft_velocity=keys.number("soft_velocity", Head.soft_velocity, 0.01, 1.0),
        place=place,
    )
    keys.end()
    if not head.joints:
        raise SettingError(f"{place}: joints: names no joint")
    for rule in head.rules:
        _check_rule(head, rule)
    return head


def _loaded(text: str, place: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise SettingError(f"{place}: a head needs the Python package pyyaml: pip install pyyaml") from None

    class Loader(yaml.SafeLoader):
        """Takes ``1e-3`` for a number, as YAML 1.2 does, and no key twice."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            names = [key.value for key, _ in node.value]
            for name in names:
                if names.count(name) > 1:
                    raise SettingError(f"{place}: line {node.start_mark.line + 1}: {name} stands there twice")
            return super().construct_mapping(node, deep)

    number = re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$")
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", number, list("-+.0123456789"))
    try:
        return yaml.load(text, Loader)
    except SettingError:
        raise
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date of month 13, a number of 5000 digits
        raise SettingError(f"{place}: no YAML: {' '.join(str(error).split())}") from None


def _joint(keys: Keys, name: str) -> Joint:
    unit = keys.text("unit", Joint.unit, UNITS)
    minimum, maximum = _range(keys, unit)
    joint = Joint(
        name=name,
        weights=_weights(keys.keys("weights")),
        curve=_curve(keys),
        invert=keys.flag("invert", Joint.invert),
        neutral=keys.number("neutral", 0.0, minimum, maximum, unit),
        minimum=minimum,
        maximum=maximum,
        limits=_limits(keys.keys("limits"), unit),
        dead_band=keys.number("dead_band", Joint.dead_band, 0.0, (maximum - minimum) / 2, unit),
        lead_s=keys.number("lead_s", Joint.lead_s, 0.0, 2.0, "s"),
        release_after_s=_release(keys),
        heat=None if keys.value("heat", None) is None else _heat(keys.keys("heat")),
        unit=unit,
        servo=_servo(keys),
    )
    keys.end()
    if not minimum <= joint.neutral <= maximum:
        raise SettingError(f"{keys.place}: neutral: is missing, and 0 lies outside of the range")
    return joint


def _range(keys: Keys, unit: str) -> tuple[float, float]:
    ends = [checked_number(end, f"{keys.place}: range", unit=unit) for end in keys.items("range")]
    if len(ends) != 2 or not ends[0] < ends[1]:
        keys.refuse("range", f"[lowest, highest] position, {unit}")
    return ends[0], ends[1]


def _weights(keys: Keys) -> dict[str, float]:
    weights = {}
    for channel in keys.names():
        if channel not in CHANNELS:
            raise SettingError(f"{keys.place}: no blendshape and no part of a pose: {one_of(channel, CHANNELS)}")
        weights[channel] = keys.number(channel)
    if not any(weights.values()):
        raise SettingError(f"{keys.place}: expected at least one weight that is not 0, such as {{jawOpen: 0.5}}")
    return weights


def _curve(keys: Keys) -> tuple[tuple[float, float], ...]:
    expected = "two or more points [sum, deflection], the sums ascending"
    points = []
    for point in keys.items("curve", ()):
        if not isinstance(point, list) or len(point) != 2:
            keys.refuse("curve", expected)
        x, y = (checked_number(value, f"{keys.place}: curve") for value in point)
        points.append((x, y))
    if len(points) == 1 or any(a >= b for (a, _), (b, _) in pairwise(points)):
        keys.refuse("curve", expected)
    return tuple(points)


def _limits(keys: Keys, unit: str) -> Limits:
    limits = Limits(
        keys.above_zero("velocity", unit=f"{unit}/s"),
        keys.above_zero("acceleration", unit=f"{unit}/s2"),
        keys.above_zero("jerk", unit=f"{unit}/s3"),
    )
    keys.end()
    return limits


def _release(keys: Keys) -> float | None:
    if keys.value("release_after_s", Joint.release_after_s) == "never":
        return None
    try:
        return keys.number("release_after_s", Joint.release_after_s, 0.5, 3600.0, "s")
    except SettingError as error:
        raise SettingError(f"{error}; or never") from None


def _heat(keys: Keys) -> HeatModel:
    bounds = {"time_constant_s": (1.0, 36000.0, "s"), "continuous": (0.01, 1.0, ""), "warn": (0.1, 0.99, "")}
    given = {f.name: keys.number(f.name, f.default, *bounds.get(f.name, (0.0, 1.0, ""))) for f in fields(HeatModel)}
    keys.end()
    return HeatModel(**given)


def _servo(keys: Keys) -> dict[str, Any]:
    servo = keys.keys("servo", {})
    return {name: servo.value(name) for name in servo.names()}


def _rules(keys: Keys) -> list[Rule]:
    rules = []
    for number, item in enumerate(keys.items("rules", ())):
        rule = Keys(item, f"{keys.place}: rule {number + 1}")
        rule.place = f"{keys.place}: rule {(name := rule.text('name'))!r}"
        factors = rule.keys("sum")
        rules.append(Rule(name, {joint: factors.number(joint) for joint in factors.names()}, rule.number("at_most")))
        rule.end()
    return rules


def _check_rule(head: Head, rule: Rule) -> None:
    place = f"{head.place}: rule {rule.name!r}"
    for joint in rule.factors:
        if joint not in head.names:
            raise SettingError(f"{place}: sum: no joint of this head: {one_of(joint, head.names)}")
    if not any(abs(factor) >= LEAST_FACTOR for factor in rule.factors.values()):
        raise SettingError(f"{place}: sum: expected a factor for at least one joint, such as {{jaw: 1.0, lip: -0.5}}")
    at_rest = sum(rule.factors.get(joint.name, 0.0) * joint.neutral for joint in head.joints)
    if at_rest > rule.at_most + FEASIBLE:
        raise SettingError(f"{place}: at_most: the neutral positions break it: their sum is {at_rest:g}")
