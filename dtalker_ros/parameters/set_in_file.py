"""Sets one parameter of one node in the text of a ROS parameters file, and leaves everything else as it is."""

import re

from dtalker_model.errors import SettingError

WILDCARD = "/**"
"""The name that stands for every node."""


def with_parameter(text: str, node: str, name: str, value: float) -> str:
    """`text` with `value` for parameter `name` of `node`: where it has one, there; else where its parameters begin.

    A value under `/**` is changed where the node has none of its own. Raises `SettingError` where `text` is not empty
    and no parameters file.
    """
    if text.strip() and "ros__parameters:" not in text:
        raise SettingError("no ros__parameters in it: give a ROS parameters file, or a new one")
    lines, places = text.splitlines(), _places(text, name)
    own = node.lstrip("/")
    for owner in (own, WILDCARD):
        if (owner, "value") in places:
            k = places[owner, "value"]
            lines[k] = re.sub(r":[^#]*?(\s*#.*)?$", lambda match: f": {value!r}{match[1] or ''}", lines[k], count=1)
            return "\n".join(lines) + "\n"
    if (own, "begin") in places:
        k = places[own, "begin"]
        indent = re.match(r"\s*", lines[k])
        lines.insert(k + 1, f"{indent[0] if indent else ''}  {name}: {value!r}")
    else:
        lines += [f"{own}:", "  ros__parameters:", f"    {name}: {value!r}"]
    return "\n".join(lines) + "\n"


def _places(text: str, name: str) -> dict[tuple[str, str], int]:
    """Numbers of the lines at which each node's parameters begin ("begin") and at which `name` stands ("value")."""
    places: dict[tuple[str, str], int] = {}
    owner = ""
    for number, line in enumerate(text.splitlines()):
        top = re.match(r"""["']?(/?[\w*/]+)["']?:\s*(#.*)?$""", line)
        if top:
            owner = top[1] if top[1] == WILDCARD else top[1].lstrip("/")
        elif re.match(r"\s+ros__parameters:\s*(#.*)?$", line):
            places.setdefault((owner, "begin"), number)
        elif re.match(rf"\s+{re.escape(name)}:", line):
            places.setdefault((owner, "value"), number)
    return places
