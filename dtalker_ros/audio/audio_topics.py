"""Which topics of the graph may carry audio: by the names of their types, and by the fields of a message."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from dtalker_model.errors import AudioError

AUDIO_PACKAGES = ("audio_common_msgs", "foxglove_msgs")
AUDIO_TYPES = (
    "audio_common_msgs/msg/Audio",
    "audio_common_msgs/msg/AudioData",
    "audio_common_msgs/msg/AudioDataStamped",
    "audio_common_msgs/msg/AudioStamped",
    "foxglove_msgs/msg/RawAudio",
    "std_msgs/msg/Float32MultiArray",
    "std_msgs/msg/Int16MultiArray",
    "std_msgs/msg/UInt8MultiArray",
)
"""What robots publish audio as. Messages with other names are heard where their fields fit."""
MOST_TOPICS = 8
"""So many topics are named in a hint."""


def message_class(type_name: str) -> Any:
    """The class of ``package/msg/Name``; raises `AudioError` where it is not to be had here."""
    try:
        package, folder, name = type_name.split("/")
        return getattr(import_module(f"{package}.{folder}"), name)
    except ValueError:
        raise AudioError(f"message type {type_name!r}: expected package/msg/Name") from None
    except (ImportError, AttributeError) as error:
        raise AudioError(
            f"message type {type_name} is not known here ({error}): source the workspace that has {package}, "
            "the same flavour as the publisher's"
        ) from None


def carries_audio(message: Any) -> bool:
    """Whether the fields of `message` are those of some audio message, as `convert` reads them."""
    if hasattr(message, "audio"):
        return carries_audio(message.audio)
    if hasattr(message, "audio_data"):
        return hasattr(message, "info")
    data = getattr(message, "data", "")
    return hasattr(data, "__len__") and not isinstance(data, str) and not hasattr(message, "encoding")


def hint(topic: str, topics: Iterable[tuple[str, list[str]]]) -> str:
    """What to do where nobody publishes on `topic`, given all `topics` with their types."""
    found = [(name, kind) for name, kinds in topics for kind in kinds if kind in AUDIO_TYPES and name != topic]
    # Arrays of numbers may be anything, so those that are surely audio come first.
    found.sort(key=lambda pair: (not pair[1].startswith(AUDIO_PACKAGES), pair))
    if not found:
        return f"nobody publishes on {topic}, and no other topic carries audio: start the microphone or the speech"
    named = ", ".join(f"{name} ({kind})" for name, kind in found[:MOST_TOPICS])
    more = f" and {len(found) - MOST_TOPICS} more" if len(found) > MOST_TOPICS else ""
    return f"nobody publishes on {topic}; topics that may carry audio: {named}{more}. Choose one: audio:=TOPIC"
