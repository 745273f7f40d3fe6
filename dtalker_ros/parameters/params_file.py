"""Writes ``launch/params.yaml``: ``python -m dtalker_ros.parameters.params_file > launch/params.yaml``."""

import sys
from collections.abc import Iterator

from dtalker_model.card import DEFAULT_MODEL, model_path, read_card
from dtalker_ros.parameters.parameters import NODE_PARAMETERS, ParameterSpec, setting_parameters, yaml_value

_HEAD = """\
# Every parameter of the talker node with its default. Written by `python -m dtalker_ros.parameters.params_file`.
# Copy it, keep the lines that you change, and start with
#   ros2 launch dtalker talker.launch.py params_file:=MY.yaml
/**:
  ros__parameters:"""


def params_yaml(emotions: tuple[str, ...]) -> str:
    """The text of the file, for a model that knows `emotions`."""
    return "\n".join([_HEAD, *_tree((*NODE_PARAMETERS, *setting_parameters(emotions)))]) + "\n"


def _tree(specs: tuple[ParameterSpec, ...]) -> Iterator[str]:
    """Lines of YAML; names with a dot are gathered under their first part."""
    open_group = ""
    for spec in sorted(specs, key=lambda s: ("." in s.name, s.name.partition(".")[0] if "." in s.name else "")):
        group, dot, key = spec.name.rpartition(".")
        if dot and group != open_group:
            yield f"    {group}:"
        open_group = group
        indent = "      " if dot else "    "
        yield f"{indent}# {_comment(spec)}"
        yield f"{indent}{key}: {yaml_value(spec.default)}"


def _comment(spec: ParameterSpec) -> str:
    span = "" if spec.range is None else f" From {spec.range[0]:.10g} to {spec.range[1]:.10g}"
    unit = f" {spec.unit}" if span and spec.unit else ""
    fixed = " Fixed at start." if spec.read_only else ""
    return f"{spec.doc}{span}{unit}{'.' if span else ''}{fixed}"


def main() -> int:
    """Print the file for the shipped model."""
    sys.stdout.write(params_yaml(tuple(read_card(model_path(DEFAULT_MODEL)).emotions)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
