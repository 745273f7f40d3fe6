"""A microphone that is recorded, with the time of each sample by our clock."""

from collections.abc import Callable
from typing import Any

import numpy as np

from dtalker_model.cli.sound.microphone import chosen_device, sounddevice_module
from dtalker_model.errors import AudioError
from dtalker_ros.playback.snaps import Recording
from dtalker_ros.playback.sound_card import LONGEST_LEAD_S, both_clocks


class Recorder:
    """An input stream; raises `AudioError` where there is none."""

    def __init__(self, device: str, now_ns: Callable[[], int]) -> None:
        sounddevice = sounddevice_module()
        self._now_ns = now_ns
        self._blocks: list[np.ndarray] = []
        self._times_ns: list[int] = []
        chosen = chosen_device(device)
        try:
            self.rate_hz = round(sounddevice.query_devices(chosen, "input")["default_samplerate"])
            self._stream = sounddevice.InputStream(
                samplerate=self.rate_hz, device=chosen, channels=1, dtype="float32", callback=self._hear
            )
        except (sounddevice.PortAudioError, ValueError) as error:
            raise AudioError(f"no microphone to open: {error}; `python -m sounddevice` lists the devices") from None

    def start(self) -> None:
        """Record from now on."""
        self._stream.start()

    def stop(self) -> Recording:
        """Record no more; what was heard. Raises `AudioError` where that is nothing."""
        self._stream.stop()
        self._stream.close()
        if len(self._blocks) < 2:
            raise AudioError("the microphone gave nothing: choose another one (microphone)")
        begins = np.cumsum([0, *map(len, self._blocks)])[:-1]
        since_ns = np.array([time_ns - self._times_ns[0] for time_ns in self._times_ns], np.float64)
        sample_ns, begin_ns = np.polyfit(begins, since_ns, 1)
        return Recording(np.concatenate(self._blocks), self._times_ns[0] + float(begin_ns), float(sample_ns))

    def _hear(self, pcm: Any, samples: int, when: Any, status: Any) -> None:
        stream_s, now_ns = both_clocks(self._stream, self._now_ns)
        ago_s = stream_s - when.inputBufferAdcTime
        if not 0 <= ago_s < LONGEST_LEAD_S or when.inputBufferAdcTime <= 0:
            ago_s = samples / self.rate_hz
        self._blocks.append(np.array(pcm[:, 0], np.float32))
        self._times_ns.append(now_ns - round(ago_s * 1e9))
