"""How the recorded heads and eyes turned, in the axes of ``msg/Head.msg``: RAVDESS' `pose` and `gaze`.

OpenFace's camera frame has x to the right of the picture, y down, z away from the camera. Its rotation is
Rx(pitch) Ry(yaw) Rz(roll), right-handed in that frame (checked against its own 3-D landmarks, which turn the same way);
`gaze` are the angles atan2(x, -z) and atan2(y, -z) of the direction in which the eyes look, in the camera frame too.
Where a head is at rest nobody recorded: the median of a clip stands for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dtalker_model.blendshapes import INDEX
from dtalker_model.gesture.sway import loudness as of_frame
from dtalker_model.hearing.features import LogMel
from dtalker_model.hearing.voice_activity import VoiceActivity
from dtalker_model.rates import DELAY_FRAMES, FRAME_RATE_HZ
from training.corpus.clips import MIN_CONFIDENCE, Clip, load_audio, read_manifest

SOURCES = ("ravdess", "ravdess_song")
BLINKS = 0.3
"""eyeBlink above this hides the pupils: no gaze is known."""

_TO_HEAD = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""From the camera's axes to those of a head that looks into it: forward, left, up."""


@dataclass(frozen=True, eq=False)
class HeadTrack:
    """One clip's head.

    Attributes:
        turns: (N, 3) rad: yaw, pitch, roll from rest, as in ``msg/Head.msg``.
        eyes: (N, 2) rad: turn of the eyes in the head from their rest, to the left and down.
        aim: (N, 2) rad: where the eyes look in the room, from the middle of their looks, to the left and down.
        seen: (N,) bool: whether eyes and head are known.
        times_s: (N,) on the audio's clock.
        level_db, speaking: (F,) float32: what a talker hears when it makes frame f, 20 ms each.
    """

    clip: Clip
    turns: np.ndarray
    eyes: np.ndarray
    aim: np.ndarray
    seen: np.ndarray
    times_s: np.ndarray
    level_db: np.ndarray
    speaking: np.ndarray

    @property
    def frames(self) -> tuple[int, int]:
        """First frame of 20 ms that the recording covers, and the one after the last."""
        begin = int(np.ceil(self.times_s[0] * FRAME_RATE_HZ - 1e-6))
        end = int(np.floor(self.times_s[-1] * FRAME_RATE_HZ + 1e-6)) + 1
        return max(begin, 0), min(end, len(self.level_db))

    def on_frame_clock(self, values: np.ndarray) -> np.ndarray:
        """`values` (N, n) of the recording at each of `frames`."""
        begin, end = self.frames
        times_s = np.arange(begin, end) / FRAME_RATE_HZ
        return np.stack([np.interp(times_s, self.times_s, column) for column in values.T], axis=1)


def read_head_tracks(folder: Path, split: str | None) -> list[HeadTrack]:
    """The recorded heads of a split of the corpus, or of all of it; raises ValueError where there is none."""
    clips = [c for c in read_manifest(folder, split) if c.source in SOURCES and c.motion is not None]
    if not clips:
        raise ValueError(f"no clip of {' or '.join(SOURCES)} with motion in {folder}: their heads are what is learned")
    return [read_head_track(c) for c in clips]


def read_head_track(clip: Clip) -> HeadTrack:
    """The head of a clip of `SOURCES` with motion."""
    assert clip.motion is not None
    with np.load(clip.folder / clip.motion) as npz:
        pose, gaze = npz["pose"][:, 3:].astype(float), npz["gaze"].astype(float)
        blinks = npz["weights"][:, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]].max(axis=1) > BLINKS
        seen = (npz["confidence"] >= MIN_CONFIDENCE) & ~_widened(blinks, 2)
    camera = rotations(pose)
    rest = rotations(np.median(pose, axis=0)[None])[0]
    turns = angles(_TO_HEAD @ (rest.T @ camera) @ _TO_HEAD.T)
    look = np.stack([np.tan(gaze[:, 0]), np.tan(gaze[:, 1]), -np.ones(len(gaze))], axis=1)
    eyes = directions(np.einsum("tij,ti->tj", camera, look) @ _TO_HEAD.T)
    aim = directions(look @ rest @ _TO_HEAD.T)
    level_db, speaking = heard(load_audio(clip))
    times_s = clip.motion_start_s + np.arange(len(pose)) / clip.fps
    return HeadTrack(clip, turns, _centred(eyes, seen), _centred(aim, seen), seen, times_s, level_db, speaking)


def heard(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Level in dB and speech gate (F,) that go with each frame, as `dtalker_model.speaking.engine` gives them."""
    features = LogMel().push(audio)
    speaking = VoiceActivity().apply(features.level_db, features.voiced)
    return features.level_db[DELAY_FRAMES:], speaking[DELAY_FRAMES:]


def loudness(level_db: np.ndarray, speaking: np.ndarray) -> np.ndarray:
    """`dtalker_model.gesture.sway.loudness` of many frames (F,)."""
    return np.asarray([of_frame(*now) for now in zip(level_db.tolist(), speaking.tolist())])


def rotations(pose: np.ndarray) -> np.ndarray:
    """OpenFace's pose_R (N, 3) as matrices (N, 3, 3) in the camera's axes."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(pose.T), np.sin(pose.T)
    one, zero = np.ones_like(cx), np.zeros_like(cx)
    about_x = np.array([[one, zero, zero], [zero, cx, -sx], [zero, sx, cx]])
    about_y = np.array([[cy, zero, sy], [zero, one, zero], [-sy, zero, cy]])
    about_z = np.array([[cz, -sz, zero], [sz, cz, zero], [zero, zero, one]])
    x, y, z = (np.moveaxis(m, -1, 0) for m in (about_x, about_y, about_z))
    return np.asarray(x @ y @ z)


def angles(turned: np.ndarray) -> np.ndarray:
    """Yaw, pitch, roll (N, 3) of rotations (N, 3, 3) in the head's axes: each about the axes turned before."""
    yaw = np.arctan2(turned[:, 1, 0], turned[:, 0, 0])
    pitch = -np.arcsin(np.clip(turned[:, 2, 0], -1, 1))
    roll = np.arctan2(turned[:, 2, 1], turned[:, 2, 2])
    return np.stack([yaw, pitch, roll], axis=1)


def directions(look: np.ndarray) -> np.ndarray:
    """Angles (N, 2) to the left and down of directions (N, 3) in the head's axes."""
    return np.stack(
        [np.arctan2(look[:, 1], look[:, 0]), np.arctan2(-look[:, 2], np.hypot(look[:, 0], look[:, 1]))], axis=1
    )


def _centred(angles_rad: np.ndarray, seen: np.ndarray) -> np.ndarray:
    return angles_rad - np.median(angles_rad[seen] if seen.any() else angles_rad, axis=0)


def _widened(flags: np.ndarray, frames: int) -> np.ndarray:
    """`flags` (N,), true for `frames` more on both sides."""
    return np.convolve(flags, np.ones(2 * frames + 1), mode="same") > 0.5
