"""The one table from the names of expressions to moods of our models, and the plane of valence and arousal.

The names are the 25 of `hri_msgs/Expression` (after Chambers, Bristol Robotics Lab 2020); the mixtures and strengths
are our judgement, not measured. Sleep is calm here: no emotion of the models shuts the eyes.
"""

import math

from dtalker_ros.expression.mood import Mood

EXPRESSIONS: dict[str, dict[str, float]] = {
    "neutral": {},
    "angry": {"angry": 1.0},
    "sad": {"sad": 1.0},
    "happy": {"happy": 1.0},
    "surprised": {"surprised": 1.0},
    "disgusted": {"disgust": 1.0},
    "scared": {"fearful": 1.0},
    "pleading": {"sad": 0.6, "fearful": 0.3},
    "vulnerable": {"sad": 0.4, "fearful": 0.4},
    "despaired": {"sad": 1.3, "fearful": 0.3},
    "guilty": {"sad": 0.6, "disgust": 0.2},
    "disappointed": {"sad": 0.6, "disgust": 0.1},
    "embarrassed": {"sad": 0.3, "fearful": 0.2, "happy": 0.2},
    "horrified": {"fearful": 1.2, "surprised": 0.4},
    "skeptical": {"disgust": 0.4, "surprised": 0.2},
    "annoyed": {"angry": 0.5},
    "furious": {"angry": 1.6},
    "suspicious": {"angry": 0.3, "disgust": 0.3},
    "rejected": {"sad": 0.8, "angry": 0.1},
    "bored": {"calm": 0.5, "sad": 0.3},
    "tired": {"calm": 0.6, "sad": 0.3},
    "asleep": {"calm": 1.0},
    "confused": {"surprised": 0.4, "fearful": 0.2},
    "amazed": {"surprised": 0.9, "happy": 0.4},
    "excited": {"happy": 1.0, "surprised": 0.4},
}

OTHER_WORDS = {
    "afraid": "scared",
    "anger": "angry",
    "boredom": "bored",
    "disgust": "disgusted",
    "fear": "scared",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "surprise": "surprised",
}
"""Words that others use for the same."""

CIRCLE: tuple[tuple[float, str], ...] = (
    (20.0, "happy"),
    (75.0, "surprised"),
    (110.0, "fearful"),
    (135.0, "angry"),
    (165.0, "disgust"),
    (210.0, "sad"),
    (315.0, "calm"),
)
"""Where emotions lie around neutral: degrees from valence 1 towards arousal 1 (after Russell's circumplex, 1980)."""


def mood_at(valence: float, arousal: float) -> Mood:
    """The mood at a point of the plane, each -1 to 1: the two emotions beside its direction, as strong as it is far."""
    strength = min(math.hypot(valence, arousal), 1.0)
    angle = math.degrees(math.atan2(arousal, valence)) % 360
    for (low, before), (high, after) in zip(CIRCLE, [*CIRCLE[1:], (CIRCLE[0][0] + 360, CIRCLE[0][1])]):
        place = (angle - low) % 360
        if place < high - low:
            share = place / (high - low)
            return {name: part for name, part in ((before, strength * (1 - share)), (after, strength * share)) if part}
    raise AssertionError(f"no emotions beside {angle} degrees")
