"""What the teacher meets in the noise: recordings at first, in its last lesson its own predictions."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from torch import Tensor  # noqa: E402

from dtalker_model.networks.diffusion import diffuse  # noqa: E402
from dtalker_model.networks.network import MOST_LOG_RANGE, MotionDecoder, StudentConfig  # noqa: E402
from training.corpus.batches import Batch  # noqa: E402
from training.corpus.library import Names  # noqa: E402
from training.networks.encoders import ScratchConfig  # noqa: E402
from training.networks.teacher import Teacher, TeacherConfig  # noqa: E402

B, T = 4, 12
SIZES = StudentConfig(encoder_dim=16, decoder_dim=16)


def batch() -> Batch:
    torch.manual_seed(2)
    zero, unknown = torch.zeros(B, dtype=torch.long), torch.full((B,), -1)
    return Batch(
        heard={"log_mel": torch.randn(B, T, 128)},
        motion=torch.rand(B, T, 52),
        observed=torch.ones(B, T, 52),
        phones=torch.full((B, T), -1),
        identity=zero,
        emotion=zero,
        strength=torch.ones(B),
        spoken_by=unknown,
        spoken_as=unknown,
        noise=torch.randn(B, T, 52),
        dice=torch.rand(B, 4),
    )


@pytest.mark.parametrize("own", [0.0, 1.0])
def test_the_noise_holds_the_recording_or_its_own_prediction(own: float, monkeypatch: pytest.MonkeyPatch) -> None:
    teacher = Teacher(TeacherConfig(SIZES, scratch=ScratchConfig(dim=8)), Names(("default",), ("neutral",)))
    teacher.own = own
    seen, asked = batch(), []

    def predict(p: Tensor, audio: Tensor, noisy: Tensor, level: Tensor, steps: Tensor) -> Tensor:
        asked.append((noisy, level))
        return torch.full_like(noisy, 0.25, requires_grad=True)

    monkeypatch.setattr(teacher, "predict", predict)
    teacher(seen, seen)
    (first, start), (second, level) = asked
    assert torch.equal(first, seen.noise) and torch.equal(start, torch.ones(B))
    clean = torch.full_like(seen.motion, 0.25) if own else seen.motion
    torch.testing.assert_close(second, diffuse(clean, seen.noise, level[:, None, None]))


def test_a_person_sets_the_range_of_each_coefficient_but_not_without_limit() -> None:
    decoder = MotionDecoder(SIZES).eval()
    p, audio, noisy = torch.ones(1, T, 128), torch.randn(1, T, 16), torch.zeros(1, T, 52)
    one, hidden = torch.ones(1), torch.zeros(1, 3, 16)
    with torch.no_grad():
        usual = decoder(p, audio, noisy, one, one, hidden)[0] - decoder.style(p)
        decoder.range[:, 7] = 100.0
        wide = decoder(p, audio, noisy, one, one, hidden)[0] - decoder.style(p)
    factor = torch.ones(52)
    factor[7] = torch.exp(torch.tensor(MOST_LOG_RANGE))
    torch.testing.assert_close(wide, usual * factor)
