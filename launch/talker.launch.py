"""Starts the talker node: ``ros2 launch dtalker talker.launch.py audio:=/audio/audio emotion:=happy``.

With ``sinks:=mcap:take.mcap,livelink:10.0.0.2`` it also starts the sink node.

An included launch file takes the value of every argument that its parent, or a file included before it, has under the
same name. So `dtalker_model` and `dtalker_name` are not called `model` and `name`, which robots have of their own.
`namespace`, `use_sim_time` and `log_level` are meant to come from there. To keep the rest out as well:
``GroupAction([IncludeLaunchDescription(...)], forwarding=False)``.
"""

from pathlib import Path

from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import Action, LaunchContext, LaunchDescription

TOPICS = {
    "audio": "Topic with the speech: any audio message; its type and QoS are found at run time.",
    "blendshapes": "Topic for the frames (dtalker/msg/Blendshapes).",
    "expression": "Topic on which others ask for expressions: std_msgs/String or hri_msgs/Expression.",
}

NODE = {
    "dtalker_name": ("dtalker", "Name of the node."),
    "namespace": ("", "Namespace of the node and of its relative topics."),
    "params_file": ("", "YAML file with parameters; share/dtalker/launch/params.yaml lists all of them."),
    "log_level": ("info", "Least severe log messages that are shown: debug, info, warn, error or fatal."),
    "sinks": ("", "Where the frames go beside the topic, separated by commas: csv:FILE, mcap:FILE, livelink:HOST, ..."),
}

PARAMETERS = {
    "autostart": (bool, "Configure and activate at start; false leaves that to a lifecycle manager. Default true."),
    "dtalker_model": (str, "A shipped model's name or the path of an .onnx file. Default dtalker."),
    "identity": (str, "Whose way of speaking: a name of the model, an enrolled voice, or live. Default default."),
    "emotion": (str, "A name of the model, an enrolled voice, live, or mix. Default neutral."),
    "intensity": (float, "Strength of the emotion, 0 to 2. Default 1."),
    "playout_delay_ms": (float, "From a sample's time to the moment its frame is shown, 80 to 5000 ms. Default 80."),
    "pacing": (str, "clock for live use, asap for offline use. Default clock."),
    "audio_type": (str, "Type of the audio topic; found from its publishers where it is not given."),
    "audio_sample_rate_hz": (int, "Sample rate of messages that do not say. Default 16000."),
    "audio_channels": (int, "Channels of messages that do not say. Default 1."),
    "audio_format": (str, "Format of raw bytes, such as S16LE. Default S16LE."),
    "frame_id": (str, "Name of the face, in the header of every message. Default face."),
    "use_sim_time": (bool, "Take the time from /clock. Default false."),
}
"""Given ones win over params_file; those not given are left to it."""


def _talker(context: LaunchContext) -> list[Action]:
    given = {name: LaunchConfiguration(name).perform(context) for name in (*NODE, *TOPICS, *PARAMETERS)}
    overrides = {
        name.removeprefix("dtalker_"): ParameterValue(LaunchConfiguration(name), value_type=kind)
        for name, (kind, _) in PARAMETERS.items()
        if given[name]
    }
    node = LifecycleNode(
        package="dtalker",
        executable="talker_node",
        name=given["dtalker_name"],
        namespace=given["namespace"],
        parameters=[*_files(given["params_file"]), *([overrides] if overrides else [])],
        remappings=[(topic, given[topic]) for topic in TOPICS if given[topic] != topic],
        ros_arguments=["--log-level", given["log_level"]],
        output="screen",
    )
    return [*_slips(context, given), node, *_sinks(given)]


def _files(name: str) -> list[str]:
    """The parameter file, if one is asked for; launch_ros itself starts the node without one that is missing."""
    if name and not Path(name).is_file():
        raise RuntimeError(f"params_file: no file at {name}")
    return [name] if name else []


def _slips(context: LaunchContext, given: dict[str, str]) -> list[Action]:
    """A hint where `model` is ours by its looks: a robot's model is no .onnx file."""
    model = context.launch_configurations.get("model", "")
    if given["dtalker_model"] or not (model.endswith(".onnx") or model.startswith("dtalker")):
        return []
    return [LogInfo(msg=f"model:={model} is not used: the talker's model is dtalker_model:={model}")]


def _sinks(given: dict[str, str]) -> list[Action]:
    """The sink node, where sinks are asked for."""
    specs = [spec for spec in given["sinks"].split(",") if spec]
    if not specs:
        return []
    name = given["dtalker_name"]
    node = Node(
        package="dtalker",
        executable="sink_node",
        name=f"{name}_sink",
        namespace=given["namespace"],
        parameters=[{"sinks": specs}],
        remappings=[("blendshapes", given["blendshapes"]), ("dtalker/info", f"{name}/info")],
        ros_arguments=["--log-level", given["log_level"]],
        output="screen",
    )
    return [node]


def generate_launch_description() -> LaunchDescription:
    """Arguments and the node."""
    arguments = [DeclareLaunchArgument(name, default_value=name, description=doc) for name, doc in TOPICS.items()]
    arguments += [
        DeclareLaunchArgument(name, default_value=value, description=doc) for name, (value, doc) in NODE.items()
    ]
    arguments += [
        DeclareLaunchArgument(name, default_value="", description=doc) for name, (_, doc) in PARAMETERS.items()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=_talker)])
