"""Python, its packages, and the message packages."""

import importlib
import importlib.metadata
import importlib.util
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping

from dtalker_ros.doctor.finding import Finding, Level

Version = Callable[[str], str]
"""The version of a module; raises where it cannot be imported."""

NEEDED = ("numpy", "onnxruntime", "soxr", "soundfile", "safetensors")
OPTIONAL = {
    "sounddevice": ("sounddevice", "microphone_node, audio_player_node"),
    "aiohttp": ("aiohttp", "the live page"),
    "matplotlib": ("matplotlib", "the demo's picture"),
    "ruckig": ("ruckig", "joint_mapper_node"),
    "yaml": ("pyyaml", "joint_mapper_node"),
    "dynamixel_sdk": ("dynamixel-sdk", "Dynamixel servos"),
    "serial": ("pyserial", "Pololu Maestro"),
    "adafruit_servokit": ("adafruit-circuitpython-servokit", "servos on a PCA9685"),
    "cv2": ("opencv-python", "calibrate_head"),
    "mediapipe": ("mediapipe", "calibrate_head"),
    "mcap_ros2": ("mcap-ros2-support", "sink mcap"),
    "pythonosc": ("python-osc", "sink vmc"),
    "PIL": ("pillow", "sink video"),
}
"""Name in pip, and what it is for, by module."""
MESSAGES = {
    "audio_common_msgs": "audio of audio_capture and many others",
    "foxglove_msgs": "audio that describes itself",
    "hri_msgs": "hri_msgs/Expression on the topic expression",
}
OLDEST = (3, 10)
BUILD = "colcon build --packages-select dtalker && . install/setup.bash"


def imported_version(module: str) -> str:
    """Import `module` and tell its version, empty where it has none; raises whatever the import raises."""
    importlib.import_module(module)
    return _version(module)


def found_version(module: str) -> str:
    """The version of `module`, without importing it, which may be slow; raises `ImportError` where it is not there."""
    if importlib.util.find_spec(module) is None:
        raise ImportError(f"no module {module}")
    return _version(module)


def _version(module: str) -> str:
    name = OPTIONAL.get(module, (module, ""))[0]
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Whether this Python is new enough."""
    text = f"{'.'.join(map(str, version))} on {platform.machine()}, {sys.executable}"
    if version < OLDEST:
        return Finding(Level.ERROR, "Python", text, "dtalker needs 3.10 or newer: Ubuntu 22.04, ROS 2 Humble or later")
    return Finding(Level.OK, "Python", text)


def check_needed(version: Version = imported_version) -> Iterator[Finding]:
    """Whether everything is there that every talker needs."""
    versions, missing = {}, {}
    for module in NEEDED:
        try:
            versions[module] = version(module)
        except Exception as error:  # a package for another numpy or processor raises anything
            missing[module] = str(error)
    if versions:
        yield Finding(Level.OK, "packages", _listed(versions))
    for module, reason in missing.items():
        remedy = f"pip install {module}, in the environment that is active where you launch; for the order see README"
        yield Finding(Level.ERROR, "packages", f"{module} cannot be imported ({reason})", remedy)


def check_optional(version: Version = found_version, program: Callable[[str], str | None] = shutil.which) -> Finding:
    """Which of the packages are there that only some parts need, and what is missing for which."""
    versions, missing = {}, []
    for module, (name, purpose) in OPTIONAL.items():
        try:
            versions[name] = version(module)
        except Exception:
            missing.append(f"{name} ({purpose})")
    if program("ffmpeg") is None:
        missing.append("the program ffmpeg (sink video)")
    text = _listed(versions) or "none"
    if missing:
        return Finding(
            Level.OK, "optional packages", text, f"install only what you use; not here: {', '.join(missing)}"
        )
    return Finding(Level.OK, "optional packages", text)


def check_messages(version: Version = imported_version) -> Finding:
    """Whether our messages are built and sourced."""
    try:
        version("dtalker.msg")
    except Exception as error:
        remedy = f"source ROS 2, then in the workspace: {BUILD}"
        return Finding(Level.ERROR, "messages", f"dtalker's are not to be had ({error})", remedy)
    return Finding(Level.OK, "messages", "dtalker's are built and sourced")


def check_foreign_messages(version: Version = found_version) -> Finding:
    """Which message packages of others can be heard."""
    there = {name: _is_there(name, version) for name in MESSAGES}
    found = ", ".join(name for name, is_there in there.items() if is_there) or "none beside std_msgs"
    lacking = ", ".join(f"{name} ({MESSAGES[name]})" for name, is_there in there.items() if not is_there)
    remedy = f"source them only if a publisher uses them: {lacking}" if lacking else ""
    return Finding(Level.OK, "others' messages", found, remedy)


def _is_there(module: str, version: Version) -> bool:
    try:
        version(module)
    except Exception:
        return False
    return True


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}".strip() for name, version in versions.items())
