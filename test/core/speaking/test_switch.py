"""From one sampler to another without a jump."""

import numpy as np

from dtalker_model.speaking.switch import EASE_FRAMES, Switch


def frames(value: float, count: int) -> np.ndarray:
    return np.full((count, 52), value, np.float32)


def test_the_difference_fades_evenly_and_is_gone() -> None:
    switch = Switch()
    np.testing.assert_array_equal(switch.apply(frames(0.0, 10), 2), frames(0.0, 10))
    after = switch.apply(frames(0.6, 2 * EASE_FRAMES), 1)[:, 0]
    np.testing.assert_allclose(np.diff(after[: EASE_FRAMES + 1], prepend=0), 0.6 / (EASE_FRAMES + 1), atol=1e-6)
    np.testing.assert_array_equal(after[EASE_FRAMES:], frames(0.6, EASE_FRAMES)[:, 0])


def test_chunks_do_not_matter() -> None:
    moving = np.random.default_rng(0).random((30, 52), np.float32)
    faces = []
    for pieces in (1, 7, 20):
        switch = Switch()
        switch.apply(moving[:10], 2)
        faces.append(np.concatenate([switch.apply(piece, 4) for piece in np.array_split(moving[10:], pieces)]))
    np.testing.assert_array_equal(faces[0], faces[1])
    np.testing.assert_array_equal(faces[0], faces[2])


def test_nothing_fades_at_the_beginning_without_a_switch_and_after_a_reset() -> None:
    switch = Switch()
    for _ in range(2):
        np.testing.assert_array_equal(switch.apply(frames(0.5, 3), 2), frames(0.5, 3))
        np.testing.assert_array_equal(switch.apply(frames(0.1, 3), 2), frames(0.1, 3))
        switch.reset()
