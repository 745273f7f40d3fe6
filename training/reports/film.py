"""A film of the head that speaks a clip of a voice that no model heard.

``python -m training film MODEL --out FILE.mp4``

The face is what users see: the model's frames behind the runtime's output stage, with its blinks and its rest.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dtalker_model.hearing.features import LogMel
from dtalker_model.hearing.voice_activity import VoiceActivity
from dtalker_model.output.output import OutputStage
from dtalker_model.rates import FRAME_RATE_HZ, FRAME_SAMPLES
from dtalker_model.settings import Settings
from dtalker_model.sinks.heads.video_file import VideoSink
from dtalker_model.sinks.protocol import SinkFrame, StreamInfo
from training.corpus.clips import VOICES, Clip, corpus_folder, load_audio, read_manifest
from training.predictors.opening import open_predictor

SIZE = 400
"""Pixels; eight seconds of it take about 300 kB."""

SECONDS = (6.0, 10.0)
"""Length of the clip that is shown unless another is asked for."""


def film(model: str, out: Path, clip_id: str = "") -> None:
    """Write the film.

    Args:
        model: shipped name, path of an ``.onnx``, or folder of a run.
        out: path of the ``.mp4``.
        clip_id: of a validation clip of ``voices.jsonl``; empty for the first of `SECONDS` length.

    Raises:
        ValueError: there is no such clip.
        SinkError: ffmpeg is not installed, or cannot write there.
    """
    clip = chosen(read_manifest(corpus_folder(), "val", VOICES), clip_id)
    (weights,) = open_predictor(model)([clip])
    info = StreamInfo(0, speech=clip.folder / clip.audio)
    sink = VideoSink(str(out), size=SIZE)
    out.parent.mkdir(parents=True, exist_ok=True)
    sink.open(info)
    try:
        for k, face in enumerate(shown(weights, load_audio(clip))):
            sink.write(SinkFrame(k / FRAME_RATE_HZ, face))
    finally:
        sink.close()


def chosen(clips: list[Clip], clip_id: str) -> Clip:
    """The clip of this id, or the first one of `SECONDS` length; ValueError where there is none."""
    fitting = [c for c in clips if c.id == clip_id or (not clip_id and SECONDS[0] <= c.seconds <= SECONDS[1])]
    if not fitting:
        wanted = f"clip {clip_id!r}" if clip_id else f"clip of {SECONDS[0]:g} to {SECONDS[1]:g} s"
        raise ValueError(f"voices.jsonl has no validation {wanted}; there are {len(clips)} clips")
    return fitting[0]


def shown(weights: np.ndarray, audio: np.ndarray) -> np.ndarray:
    """Raw frames (T, 52) of mono audio at 16 kHz as the output stage shows them, with default settings."""
    heard = LogMel().push(np.pad(audio, (0, len(weights) * FRAME_SAMPLES - len(audio))))
    return OutputStage(0).apply(weights, VoiceActivity().apply(heard.level_db, heard.voiced), 0, Settings())
