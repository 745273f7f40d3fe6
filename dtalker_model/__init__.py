"""dtalker: speech in, ARKit-52 blendshapes out, live.

import soundfile, dtalker_model
talker = dtalker_model.load(emotion="happy")
pcm, rate_hz = soundfile.read("speech.wav")
for frame in talker.push(pcm, rate_hz) + talker.flush():
    print(frame.time_s, dict(zip(dtalker_model.ARKIT_NAMES, frame.weights)))
"""

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.card import ModelCard, model_path
from dtalker_model.errors import AudioError, DtalkerError, ModelError, SettingError, SinkError, VoiceError
from dtalker_model.settings import Settings
from dtalker_model.speaking.listener import Belief
from dtalker_model.talker import Frame, Talker, load
from dtalker_model.telemetry import forbid_telemetry

__all__ = [
    "ARKIT_NAMES",
    "AudioError",
    "Belief",
    "DtalkerError",
    "Frame",
    "ModelCard",
    "ModelError",
    "SettingError",
    "Settings",
    "SinkError",
    "Talker",
    "VoiceError",
    "load",
    "model_path",
]

forbid_telemetry()  # whoever imports us may import onnxruntime next
