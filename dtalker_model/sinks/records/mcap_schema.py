"""The ROS 2 messages that a recording holds, as text: an installed dtalker has no ``.msg`` files beside it.

A test compares them with ``msg/*.msg``.
"""

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.output.pose import POSE_NAMES

_HEADER = """\
================================================================================
MSG: std_msgs/Header
builtin_interfaces/Time stamp
string frame_id
================================================================================
MSG: builtin_interfaces/Time
int32 sec
uint32 nanosec
"""


def _constant(name: str) -> str:
    return "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in name)


BLENDSHAPES_TYPE = "dtalker/msg/Blendshapes"
BLENDSHAPES_FIELDS = "std_msgs/Header header\nuint64 sequence\nfloat32[52] weights\n" + "".join(
    f"uint8 {_constant(name)}={index}\n" for index, name in enumerate(ARKIT_NAMES)
)
BLENDSHAPES_TEXT = BLENDSHAPES_FIELDS + _HEADER

HEAD_TYPE = "dtalker/msg/Head"
HEAD_FIELDS = "std_msgs/Header header\nuint64 sequence\n" + "".join(f"float32 {name}\n" for name in POSE_NAMES)
HEAD_TEXT = HEAD_FIELDS + _HEADER

INFO_TYPE = "dtalker/msg/FaceInfo"
INFO_FIELDS = """\
std_msgs/Header header
string[] names
float32 frame_rate_hz
float32 lookahead_ms
float32 playout_delay_ms
string model
string model_sha256
string licence
string[] identities
string[] emotions
uint8 steps
uint8[] step_counts
"""
INFO_TEXT = INFO_FIELDS + _HEADER
