"""What a face expresses, as a point of a linear space, so that moods can be mixed in time.

The model's emotion embedding is ``neutral + intensity (target - neutral)``, where the target mixes emotions by weight
and the inferred one by `live_share` (`dtalker_model/speaking/personalizer`). So a mood is how far it goes from neutral
towards each emotion, and towards the inferred one: the products of intensity and weight.
"""

from collections.abc import Mapping
from typing import Any

from dtalker_model.settings import LIVE, MIX, Settings

STRONGEST = 2.0
"""The largest intensity, and so the largest sum of a mood's strengths."""
LISTENING = 1e-6
"""Share of the inferred emotion with which the listener goes on listening, and nobody sees it."""
FIELDS = ("emotion", "emotion_weights", "intensity", "live_share")
"""The settings that a mood takes the place of."""
NEUTRAL = "neutral"

Mood = Mapping[str, float]
"""Strength of each emotion, above 0, and of `LIVE`, the inferred one; their sum is 2 at most; empty is neutral."""


def mood_of(settings: Settings) -> Mood:
    """What `settings` say about the mood."""
    share = 1.0 if settings.emotion == LIVE else settings.live_share
    chosen = {settings.emotion: 1.0} if settings.emotion not in (LIVE, MIX) else settings.emotion_weights
    total = max(sum(chosen.values()), 1.0)
    strengths = {name: settings.intensity * (1 - share) * weight / total for name, weight in chosen.items()}
    strengths[LIVE] = settings.intensity * share
    return _without_nothing(strengths)


def mixed(first: Mood, second: Mood, share: float) -> Mood:
    """`first` with `share` (0 to 1) of `second`."""
    names = dict.fromkeys([*first, *second])
    return _without_nothing({n: (1 - share) * first.get(n, 0.0) + share * second.get(n, 0.0) for n in names})


def settings_of(mood: Mood, listens: bool) -> dict[str, Any]:
    """The settings that give `mood`, `FIELDS` by name; `listens`: the voice is followed even if nothing of it shows."""
    total = sum(mood.values())
    chosen = total - mood.get(LIVE, 0.0)
    share = min(mood.get(LIVE, 0.0) / total, 1.0) if total else 0.0
    weights = {name: min(strength / chosen, 1.0) for name, strength in mood.items() if name != LIVE} if chosen else {}
    return {
        "emotion": MIX,
        "emotion_weights": weights,
        "intensity": min(total, STRONGEST),
        "live_share": max(share, LISTENING) if listens else share,
    }


def _without_nothing(strengths: Mood) -> Mood:
    return {name: strength for name, strength in strengths.items() if strength > 0 and name != NEUTRAL}
