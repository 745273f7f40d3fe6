"""The microphone of the machine that serves the page. Needs the extra ``[mic]`` (sounddevice) and PortAudio."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from dtalker_model.errors import AudioError

SAMPLE_RATE_HZ = 16_000
BLOCK_SAMPLES = 320


def open_microphone(hear: Callable[[npt.NDArray[np.int16], int], None], device: str | None = None) -> Any:
    """An open microphone, as a context manager, that calls `hear(pcm, sample_rate_hz)` from a thread of PortAudio.

    Raises:
        AudioError: sounddevice, PortAudio or the device is missing.
    """
    try:
        import sounddevice
    except ImportError:
        raise AudioError("the microphone needs the Python module sounddevice: pip install 'dtalker[mic]'") from None
    except OSError as error:
        raise AudioError(f"the microphone needs PortAudio ({error}): apt install libportaudio2") from None

    def on_block(pcm: Any, samples: int, when: Any, status: Any) -> None:
        hear(np.array(pcm[:, 0], np.int16), SAMPLE_RATE_HZ)

    try:
        return sounddevice.InputStream(SAMPLE_RATE_HZ, BLOCK_SAMPLES, device, 1, "int16", callback=on_block)
    except (sounddevice.PortAudioError, ValueError) as error:
        raise AudioError(f"no microphone to open: {error}; `python -m sounddevice` lists the devices") from None
