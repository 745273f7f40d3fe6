"""The microphone, chunk by chunk, without ROS."""

from collections.abc import Callable
from typing import Any

import numpy as np

from dtalker_model.errors import AudioError

CHUNK_MS = 20

Hear = Callable[[np.ndarray], None]


def sounddevice_module(wanted_by: str = "the microphone") -> Any:
    """The sounddevice module; raises `AudioError`, in the name of `wanted_by`, where it or PortAudio is missing."""
    try:
        import sounddevice
    except ImportError:
        raise AudioError(f"{wanted_by} needs the Python module sounddevice: pip install sounddevice") from None
    except OSError as error:
        raise AudioError(f"{wanted_by} needs PortAudio ({error}): apt install libportaudio2") from None
    return sounddevice


def chosen_device(name: str | None) -> str | int | None:
    """What sounddevice takes for a device by part of its name, or its number; None: the system's default."""
    return int(name) if name is not None and name.isdecimal() else name or None


def open_microphone(device: str | None, hear: Hear, complain: Callable[[str], None]) -> tuple[Any, int]:
    """An input stream, not started, and its sample rate; `hear` gets int16 (samples, 1) in a thread of PortAudio's.

    `device`: part of its name, or its number; None: the system's default. Raises `AudioError`.
    """
    sounddevice = sounddevice_module()
    chosen = chosen_device(device)

    def on_audio(pcm: Any, samples: int, when: Any, status: Any) -> None:
        if status:
            complain(f"microphone: {status}")
        hear(np.array(pcm))

    try:
        rate_hz = round(sounddevice.query_devices(chosen, "input")["default_samplerate"])
        stream = sounddevice.InputStream(
            samplerate=rate_hz,
            blocksize=rate_hz * CHUNK_MS // 1000,
            device=chosen,
            channels=1,
            dtype="int16",
            callback=on_audio,
        )
    except (sounddevice.PortAudioError, ValueError) as error:
        raise AudioError(f"no microphone to open: {error}; `python -m sounddevice` lists the devices") from None
    return stream, rate_hz
