"""Crops: each row holds what the network must say then, all of it a function of seed, step and row."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from dtalker_model.blendshapes import INDEX  # noqa: E402
from dtalker_model.rates import DELAY_FRAMES  # noqa: E402
from training.corpus.batches import Batch, Sampler, Sampling, joined  # noqa: E402
from training.corpus.clips import Clip  # noqa: E402
from training.corpus.library import names_of  # noqa: E402
from training.corpus.phones import UNKNOWN  # noqa: E402
from training.corpus.spectral import Disturbance  # noqa: E402
from training.corpus.variants import Variant  # noqa: E402

FRAMES, T, ROWS = 200, 40, range(24)
JAW = INDEX["jawOpen"]
PLAIN = Sampling(
    crop_frames=T,
    warmup_frames=8,
    posed=0,
    generic=0,
    default=0,
    unknown=0,
    silence=0,
    disturbance=Disturbance(0, 0, 0),
)
CLIP = Clip(Path(), "a", "grid", "train", "grid", "neutral", "a.flac", 4.0, "CC0", motion="a.npz")


def variant(clip: Clip = CLIP) -> Variant:
    """Every array counts the frames: features as they are, the jaw in thousandths, phones and lips wrapped."""
    k = np.arange(FRAMES)
    weights, observed = np.zeros((FRAMES, 52), np.float16), np.zeros((FRAMES, 52), bool)
    if clip.motion:
        weights[:, JAW], observed[:, JAW] = k / 1000, True
    heard = {name: np.tile(k[:, None], (1, dim)).astype(np.float16) for name, dim in (("log_mel", 128), ("whisper", 3))}
    heard["waveform"] = np.tile(k[:, None] + 1, (1, 320)).astype(np.float16)
    return Variant(clip, heard, weights, observed, k % 39, (k % 255 + 1).astype(np.uint8))


def sampler(sampling: Sampling = PLAIN, clip: Clip = CLIP, seed: int = 0) -> Sampler:
    return Sampler([variant(clip)], {clip.source: 1.0}, names_of([CLIP], ("neutral", "happy")), sampling, seed)


def beginnings(batch: Batch) -> np.ndarray:
    """The frame of the clip at which each crop begins, from the middle row of what is heard."""
    return batch.heard["whisper"][:, T // 2, 0].numpy().astype(int) - T // 2


def spoken_frames(begin: int) -> tuple[np.ndarray, np.ndarray]:
    """The frames that a crop must say, and which of them the clip has."""
    k = begin - DELAY_FRAMES + np.arange(T)
    return k, (k >= 0) & (k < FRAMES)


def test_each_row_holds_the_face_that_is_said_at_its_feature() -> None:
    batch = sampler().batch(0, ROWS)
    assert len(set(beginnings(batch))) > 10
    for b, begin in enumerate(beginnings(batch)):
        k, inside = spoken_frames(begin)
        warm = np.arange(T) >= (PLAIN.warmup_frames if begin > 0 else 0)
        seen = inside & warm
        jaw = batch.motion[b, :, JAW].numpy()
        np.testing.assert_allclose(jaw[seen], k[seen] / 1000, atol=2e-4)
        np.testing.assert_array_equal(batch.phones[b].numpy(), np.where(seen, k % 39, UNKNOWN))
        np.testing.assert_array_equal(batch.lips[b].numpy(), np.where(seen, k % 255 + 1, 0))
        held = batch.observed[b, :, JAW].numpy() > 0
        np.testing.assert_array_equal(held, seen if begin > 0 else k < FRAMES)
    assert batch.lips.dtype == torch.uint8 and batch.phones.dtype == torch.int64


def test_before_and_behind_the_clip_samples_are_silence_and_features_go_on() -> None:
    batch = sampler().batch(0, range(200))
    early, late = (int(f(beginnings(batch))) for f in (np.argmin, np.argmax))
    assert beginnings(batch)[early] < 0 and beginnings(batch)[late] + T > FRAMES
    assert batch.heard["waveform"][early, 0, 0] == 0 and batch.heard["waveform"][late, -1, 0] == 0
    assert batch.heard["whisper"][early, 0, 0] == 0 and batch.heard["whisper"][late, -1, 0] == FRAMES - 1


def test_clips_without_motion_keep_their_lips_and_show_no_face() -> None:
    clip = replace(CLIP, source="voices", identity="so_1", motion=None)
    batch = sampler(clip=clip).batch(0, ROWS)
    assert not batch.observed.any() and batch.lips.any()
    assert not batch.identity.any(), "they are `default`"
    assert (batch.spoken_by == -1).all() and (batch.spoken_as == 0).all()


def test_a_crop_is_a_function_of_seed_step_and_row() -> None:
    whole = sampler(Sampling(crop_frames=T)).batch(3, ROWS)
    parts = [sampler(Sampling(crop_frames=T)).batch(3, rows) for rows in (range(10), range(10, 24))]
    both = joined(*parts)
    for name in (f.name for f in fields(Batch) if f.name != "heard"):
        assert torch.equal(getattr(both, name), getattr(whole, name)), name
    assert all(torch.equal(both.heard[name], x) for name, x in whole.heard.items())
    for other in (
        sampler(Sampling(crop_frames=T), seed=1).batch(3, ROWS),
        sampler(Sampling(crop_frames=T)).batch(4, ROWS),
    ):
        assert not torch.equal(other.dice, whole.dice) and not torch.equal(other.noise, whole.noise)


def test_dice_are_six_and_even_and_noise_is_standard() -> None:
    batch = sampler().batch(0, range(400))
    assert batch.dice.shape == (400, 6) and batch.noise.shape == (400, T, 52)
    assert 0 <= batch.dice.min() and batch.dice.max() < 1
    torch.testing.assert_close(batch.dice.mean(dim=0), torch.full((6,), 0.5), atol=0.07, rtol=0)
    assert batch.noise.std().item() == pytest.approx(1.0, abs=0.01)


def test_a_pose_leaves_what_the_lips_must_do() -> None:
    """Neutral speech gets an expression that nobody recorded; its lips still meet where they met."""
    posed = sampler(replace(PLAIN, posed=1.0)).batch(0, ROWS)
    assert (posed.emotion == 1).all() and posed.observed[:, 20, INDEX["mouthSmileLeft"]].any()
    for b, begin in enumerate(beginnings(posed)):
        k, inside = spoken_frames(begin)
        seen = inside & (np.arange(T) >= (PLAIN.warmup_frames if begin > 0 else 0))
        np.testing.assert_array_equal(posed.lips[b].numpy(), np.where(seen, k % 255 + 1, 0))
