"""What is wrong with a sound: clipping, DC and channels that cancel each other, in any chunks, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from dtalker_model.hearing.sound_check import CANCELLED, CLIPPED, OFF_CENTRE, SoundCheck, faults_of

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def speech(demo_wav: Path) -> np.ndarray:
    return soundfile.read(demo_wav, dtype="float32")[0]


def noise(*shape: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(0).standard_normal(shape, np.float32)


def sine(hz: float, amplitude: float = 1.0) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(RATE_HZ) / RATE_HZ)).astype(np.float32)


def as_type(pcm: np.ndarray, kind: str) -> np.ndarray:
    scale = {"int16": 32767, "int32": 2**31 - 1}.get(kind, 1)
    return (pcm.astype(np.float64) * scale).astype(kind)


def heard(check: SoundCheck, pcm: np.ndarray, cuts: np.ndarray) -> list[str]:
    return [fault for part in np.split(pcm, cuts) for fault in check.push(part, RATE_HZ)] + check.flush()


@pytest.mark.parametrize("kind", ["int16", "int32", "float32", "float64"])
def test_each_fault_is_found_in_every_type(speech: np.ndarray, kind: str) -> None:
    second = speech[RATE_HZ : 2 * RATE_HZ]
    loud = np.clip(20 * second, -1, 1)
    stereo = np.stack([second, -second], axis=1)
    assert faults_of(as_type(second, kind)) == []
    assert faults_of(as_type(loud, kind)) == [CLIPPED]
    assert faults_of(as_type(0.1 * second + 0.05, kind)) == [OFF_CENTRE]
    assert faults_of(as_type(stereo, kind)) == [CANCELLED]
    assert faults_of(as_type(0.1 * stereo + 0.05, kind)) == [OFF_CENTRE, CANCELLED]


@pytest.mark.parametrize("hz", [100, 440, 1000])
def test_a_full_scale_tone_is_not_clipped_and_an_overdriven_one_is(hz: float) -> None:
    assert faults_of(sine(hz)) == []
    assert faults_of(as_type(sine(hz), "int16")) == []
    assert faults_of(sine(hz, 3.0)) == [], "floats have room above full scale"
    assert faults_of(np.clip(sine(hz, 3.0), -1, 1)) == [CLIPPED]


@pytest.mark.parametrize("channels", [2, 6, 64])
def test_channels_that_do_not_cancel_are_no_fault(channels: int) -> None:
    assert faults_of(noise(RATE_HZ, channels)) == [], "channels that have nothing in common"
    assert faults_of(np.repeat(noise(RATE_HZ, 1), channels, axis=1)) == []
    assert faults_of(np.pad(noise(RATE_HZ, 1), ((0, 0), (0, channels - 1)))) == [], "one of them alone"
    assert faults_of(np.zeros((RATE_HZ, channels), np.float32)) == []


@pytest.mark.parametrize("longest", [200, 5000, 100_000])
def test_any_chunking_finds_the_same(speech: np.ndarray, longest: int) -> None:
    pcm = np.concatenate([speech[:40_000], np.clip(20 * speech[:40_000], -1, 1), 0.1 * speech[:8_000] + 0.05])
    cuts = np.cumsum(np.random.default_rng(longest).integers(1, longest, len(pcm) // longest))
    whole = heard(SoundCheck(), pcm, np.array([], int))
    assert whole[0] == CLIPPED and whole[-1] == OFF_CENTRE
    assert heard(SoundCheck(), pcm, cuts[cuts < len(pcm)]) == whole


def test_a_buffer_that_is_used_again_is_heard_as_it_was() -> None:
    check, buffer = SoundCheck(), np.empty(RATE_HZ // 2, np.float32)
    buffer[:] = 0.05
    assert check.push(buffer, RATE_HZ) == []
    buffer[:] = 0.0
    assert check.push(buffer, RATE_HZ) == [OFF_CENTRE]


def test_the_end_of_a_stream_is_judged_and_a_scrap_is_not() -> None:
    check, off = SoundCheck(), np.full(RATE_HZ // 4, 0.05, np.float32)
    assert check.push(off, RATE_HZ) == []
    assert check.flush() == [OFF_CENTRE]
    assert check.push(off[:1000], RATE_HZ) == [] == check.flush()


def test_another_rate_or_type_begins_a_new_second_and_what_was_heard_is_judged() -> None:
    check, off = SoundCheck(), np.full(RATE_HZ * 3 // 4, 0.05, np.float32)
    assert check.push(off, RATE_HZ) == []
    assert check.push(np.zeros((100, 1), np.int16), RATE_HZ) == [OFF_CENTRE], "silence in a gap"
    assert check.push(off[:1000], RATE_HZ) == check.push(off[:1000], 48_000) == check.flush() == []
