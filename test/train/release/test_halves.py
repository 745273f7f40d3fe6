"""What nobody recorded is alike in both halves of the face."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from dtalker_model.blendshapes import ARKIT_NAMES, INDEX  # noqa: E402
from dtalker_model.networks.network import Student, StudentConfig  # noqa: E402
from training.release.halves import halves_alike, unrecorded_pairs  # noqa: E402

LEFT, RIGHT, OTHER = INDEX["cheekSquintLeft"], INDEX["cheekSquintRight"], INDEX["browDownLeft"]


def test_pairs_that_one_source_records_are_left_alone() -> None:
    known = np.array([not name.startswith(("cheek", "nose", "mouth")) for name in ARKIT_NAMES])
    known[INDEX["noseSneerLeft"]] = True
    assert unrecorded_pairs(known) == [(LEFT, RIGHT)]


def test_the_left_half_says_what_the_right_half_says() -> None:
    torch.manual_seed(0)
    student = Student(StudentConfig()).eval()
    inputs = [torch.randn(2, 40, dim) for dim in (128, 52, 64, 64)]
    articulation = torch.ones(2, 1, 1)
    before = student(*inputs, articulation, student.initial_state(2))[0]
    halves_alike(student, [(LEFT, RIGHT)])
    after = student(*inputs, articulation, student.initial_state(2))[0]
    assert not torch.allclose(before[..., LEFT], before[..., RIGHT], atol=1e-3)
    torch.testing.assert_close(after[..., LEFT], after[..., RIGHT])
