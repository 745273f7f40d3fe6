"""Fit visemes and their dominance to measured motion with phones: ``python -m training data visemes OUT``.

Motion counts above the speaker's resting face in that emotion (10th percentile). Phones of one viseme share their
parameters but for deviations that are penalised, so that rare phones follow their class and unseen ones equal it. Each
source weighs the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from dtalker_model.blendshapes import LOWER_FACE
from training.corpus.clips import Clip, is_synthetic, load_motion
from training.corpus.coarticulation import NEIGHBOURS, Visemes, curves, neighbourhood
from training.corpus.phones import PHONES, UNKNOWN

CLASSES = (
    *("SIL", "P B M", "F V", "TH DH", "T D N", "S Z", "SH ZH CH JH", "K G NG HH", "L", "R ER", "W", "Y"),
    *("IY IH", "EH AE", "AA AH AY AW", "AO OW OY", "UW UH", "EY"),
)
"""Phones that look alike; diphthongs by where they begin."""
RESTING_PERCENTILE = 10
STEPS, BATCH, LEARNING_RATE = 800, 2048, 0.03
DEVIATION_PENALTY = {"target": 0.01, "strength": 0.01, "anticipation": 0.02, "carry_over": 0.02}
"""On squared deviations from the class, beside a squared error in units of each blendshape's variance."""
TYPICAL_RATE_PER_S, RATE_RANGE, STRENGTH_RANGE = 15.0, 2.0, 3.0
"""Rates stay within e^2 of 15/s (a time constant of 9 to 490 ms), dominances within e^3 of 1."""
FIRST_TARGET = 0.1


@dataclass(frozen=True)
class Frames:
    """Measured frames with what is said around them; N frames, K segments, C blendshapes.

    Attributes:
        phones (N, K), before_s (N, K), after_s (N, K): as in `Neighbourhood`.
        weights (N, C), observed (N, C): above rest, and what of it is known. source (N,): index of the source.
    """

    phones: Tensor
    before_s: Tensor
    after_s: Tensor
    weights: Tensor
    observed: Tensor
    source: Tensor


def gather(clips: Sequence[Clip], sources: Sequence[str]) -> Frames:
    """Frames of the clips of `sources` that have phones and measured motion. Raises ValueError where there is none."""
    used = [c for c in clips if c.source in sources and c.phones and c.motion and not is_synthetic(c)]
    if missing := sorted(set(sources) - {c.source for c in used}):
        raise ValueError(f"no measured clip with phones of {', '.join(missing)}: align them first, see --phones")
    rest = _resting(used)
    columns: list[list[np.ndarray]] = [[] for _ in range(6)]
    for clip in used:
        motion = load_motion(clip)
        around = neighbourhood(clip.phones, motion.times_s)
        keep = (around.phones[:, NEIGHBOURS] != UNKNOWN) & motion.observed.any(axis=1)
        above = np.maximum(motion.weights - rest[clip.identity, clip.emotion], 0)[:, LOWER_FACE]
        origin = np.full(len(keep), sources.index(clip.source))
        parts = (around.phones, around.before_s, around.after_s, above, motion.observed[:, LOWER_FACE], origin)
        for column, part in zip(columns, parts):
            column.append(part[keep])
    phones, before_s, after_s, weights, observed, source = (torch.from_numpy(np.concatenate(c)) for c in columns)
    return Frames(phones, before_s.float(), after_s.float(), weights.float(), observed.float(), source)


def _resting(clips: Sequence[Clip]) -> dict[tuple[str, str], np.ndarray]:
    together: dict[tuple[str, str], list[np.ndarray]] = {}
    for clip in clips:
        together.setdefault((clip.identity, clip.emotion), []).append(load_motion(clip).weights)
    return {who: np.percentile(np.concatenate(w), RESTING_PERCENTILE, axis=0) for who, w in together.items()}


class DominanceModel(nn.Module):
    """The parameters while they are fitted: a table a class, and a table of deviations a phone."""

    membership: Tensor

    def __init__(self) -> None:
        super().__init__()
        C = len(LOWER_FACE)
        member = torch.tensor([[float(p in kind.split()) for kind in CLASSES] for p in PHONES])
        assert (member.sum(dim=1) == 1).all(), "each phone is in one class"
        self.register_buffer("membership", member)
        self.shared = nn.ParameterDict({name: nn.Parameter(torch.zeros(len(CLASSES), C)) for name in DEVIATION_PENALTY})
        self.deviation = nn.ParameterDict(
            {name: nn.Parameter(torch.zeros(len(PHONES), C)) for name in DEVIATION_PENALTY}
        )

    def tables(self) -> dict[str, Tensor]:
        """Each parameter for each phone, (P, C); rates in 1/s."""
        raw = {name: self.membership @ self.shared[name] + self.deviation[name] for name in DEVIATION_PENALTY}
        rates = {n: TYPICAL_RATE_PER_S * (RATE_RANGE * raw[n].tanh()).exp() for n in ("anticipation", "carry_over")}
        target = (raw["target"] + np.log(FIRST_TARGET / (1 - FIRST_TARGET))).sigmoid()
        return {"target": target, "strength": STRENGTH_RANGE * raw["strength"].tanh()} | rates

    def forward(self, frames: Frames) -> Tensor:
        """The weighted mean of `training.corpus.coarticulation` at each frame: (N, C)."""
        tables, known = self.tables(), frames.phones != UNKNOWN
        at = frames.phones.clamp(min=0)
        dominance = tables["strength"][at] - tables["anticipation"][at] * frames.before_s[..., None]
        dominance = dominance - tables["carry_over"][at] * frames.after_s[..., None]
        share = dominance.masked_fill(~known[..., None], -torch.inf).softmax(dim=1)
        return (share * tables["target"][at]).sum(dim=1)

    def penalty(self) -> Tensor:
        """Squared deviations from the classes, weighted."""
        terms = [weight * self.deviation[name].square().mean() for name, weight in DEVIATION_PENALTY.items()]
        return torch.stack(terms).sum()


def fit(frames: Frames, sources: Sequence[str], licence: str, seed: int = 0, steps: int = STEPS) -> Visemes:
    """The parameters with the least squared error, each blendshape by its variance and each source alike."""
    draw = torch.Generator().manual_seed(seed)
    model = DominanceModel()
    members = [torch.nonzero(frames.source == s)[:, 0] for s in range(len(sources))]
    scale = torch.stack([_variance(frames, m) for m in members]).clamp(min=1e-4)
    optimiser = torch.optim.Adam(model.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in tqdm(range(steps), "fit"):
        size = BATCH // len(members)
        rows = torch.cat([m[torch.randint(len(m), (size,), generator=draw)] for m in members])
        batch = Frames(*(getattr(frames, name)[rows] for name in Frames.__dataclass_fields__))
        error = (model(batch) - batch.weights).square() / scale[batch.source] * batch.observed
        loss = error.sum() / batch.observed.sum().clamp(min=1) + model.penalty()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    tables = {name: table.detach().numpy() for name, table in model.tables().items()}
    seen = frames.observed.any(dim=0).numpy()
    target, strength, before, after = (tables[name][:, seen] for name in DEVIATION_PENALTY)
    return Visemes(np.array(LOWER_FACE)[seen], target, strength, before, after, tuple(sources), licence)


def _variance(frames: Frames, rows: Tensor) -> Tensor:
    weights, observed = frames.weights[rows], frames.observed[rows]
    count = observed.sum(dim=0).clamp(min=1)
    mean = (weights * observed).sum(dim=0) / count
    return ((weights - mean).square() * observed).sum(dim=0) / count


def correlations(visemes: Visemes, clips: Sequence[Clip], coefficients: dict[str, int]) -> dict[str, dict[str, float]]:
    """Pearson's r of generated and measured curves, by source, all frames of its clips pooled."""
    figures = {}
    for source in visemes.sources:
        pairs = []
        for clip in (c for c in clips if c.source == source and c.phones and c.motion and not is_synthetic(c)):
            motion = load_motion(clip)
            keep = motion.observed.any(axis=1)
            pairs.append((curves(visemes, clip.phones, motion.times_s)[keep], motion.weights[keep]))
        if pairs:
            made, measured = (np.concatenate(side) for side in zip(*pairs))
            figures[source] = {
                name: round(float(np.corrcoef(made[:, i], measured[:, i])[0, 1]), 3)
                for name, i in coefficients.items()
                if made[:, i].std() > 1e-6 and measured[:, i].std() > 1e-6
            }
    return figures
