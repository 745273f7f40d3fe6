"""What is wrong with a URDF, by the rules of urdfdom (ROS wiki, urdf/XML), which RViz has, too."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import numpy as np

MOVING = {"revolute", "prismatic"}
KINDS = {*MOVING, "fixed", "continuous", "floating", "planar"}
SOLIDS = {"box": {"size": 3}, "sphere": {"radius": 1}, "cylinder": {"radius": 1, "length": 1}}
CHILDREN = {
    "robot": {"link", "joint", "material"},
    "link": {"visual", "collision", "inertial"},
    "visual": {"origin", "geometry", "material"},
    "joint": {"parent", "child", "origin", "axis", "limit", "mimic", "dynamics", "calibration", "safety_controller"},
}


def faults(text: str) -> list[str]:
    """One line for each fault; empty where there is none."""
    robot = ElementTree.fromstring(text)
    if robot.tag != "robot" or not robot.get("name"):
        return ["the root is no robot with a name"]
    links = [link.get("name", "") for link in robot.iterfind("link")]
    joints = [joint.get("name", "") for joint in robot.iterfind("joint")]
    found = [f"{name!r} is not the name of one thing" for names in (links, joints) for name in _repeated(names)]
    for element in robot.iter():
        known = CHILDREN.get(element.tag)
        found += [f"{child.tag} in {element.tag}" for child in element if known is not None and child.tag not in known]
    for joint in robot.iterfind("joint"):
        found += [f"joint {joint.get('name')}: {fault}" for fault in _joint(joint, links)]
    for link in robot.iterfind("link"):
        found += [
            f"link {link.get('name')}: {fault}" for visual in link.iterfind("visual") for fault in _visual(visual)
        ]
    materials = [material.get("name") for material in robot.iterfind("material") if material.find("color") is not None]
    used = {m.get("name") for m in robot.iterfind("link/visual/material") if m.find("color") is None}
    found += [f"no material {name}" for name in used if materials.count(name) != 1]
    return [*found, *_tree(robot, links)]


def _repeated(names: list[str]) -> set[str]:
    return {name for name in names if not name or names.count(name) > 1}


def _joint(joint: ElementTree.Element, links: list[str]) -> Iterator[str]:
    if joint.get("type") not in KINDS:
        yield f"type {joint.get('type')}"
    for tag in ("parent", "child"):
        ends = joint.findall(tag)
        if len(ends) != 1 or ends[0].get("link") not in links:
            yield f"{tag} is no link"
    yield from _origin(joint)
    if joint.get("type") not in MOVING:
        return
    axis = joint.find("axis")
    if axis is None or not np.isclose(np.linalg.norm(_numbers(axis.get("xyz"))), 1, atol=1e-3):
        yield "its axis is no unit vector"
    limit = joint.find("limit")
    values = [_numbers(limit.get(k)) for k in ("lower", "upper", "velocity", "effort")] if limit is not None else []
    if [len(value) for value in values] != [1, 1, 1, 1]:
        yield "it lacks limits"
        return
    (lower,), (upper,), (velocity,), (effort,) = values
    if not (lower < upper and velocity > 0 and effort > 0):
        yield "its limits are the wrong way round"


def _visual(visual: ElementTree.Element) -> Iterator[str]:
    yield from _origin(visual)
    solids = visual.findall("geometry/*")
    if len(solids) != 1 or solids[0].tag not in SOLIDS:
        yield "expected one box, sphere or cylinder"
        return
    for name, count in SOLIDS[solids[0].tag].items():
        size = _numbers(solids[0].get(name))
        if len(size) != count or min(size) <= 0:
            yield f"{solids[0].tag} without {name}"


def _origin(element: ElementTree.Element) -> Iterator[str]:
    origin = element.find("origin")
    for name in ("xyz", "rpy"):
        if origin is not None and len(_numbers(origin.get(name, "0 0 0"))) != 3:
            yield f"{name} of its origin is no three numbers"


def _tree(robot: ElementTree.Element, links: list[str]) -> Iterator[str]:
    parent = {}
    for joint in robot.iterfind("joint"):
        above, below = joint.find("parent"), joint.find("child")
        if above is not None and below is not None:
            if below.get("link") in parent:
                yield f"link {below.get('link')} hangs on two joints"
            parent[below.get("link")] = above.get("link")
    roots = [link for link in links if link not in parent]
    if len(roots) != 1:
        yield f"expected one root, found {roots}"
    elif robot.find(f"link[@name='{roots[0]}']/inertial") is not None:
        yield "KDL takes no inertia of the root"
    for link in links:
        seen: set[str | None] = set()
        here: str | None = link
        while here in parent and here not in seen:
            seen.add(here)
            here = parent[here]
        if here in seen:
            yield f"link {link} hangs on itself"


def _numbers(text: str | None) -> list[float]:
    try:
        return [float(part) for part in (text or "").split()]
    except ValueError:
        return []
