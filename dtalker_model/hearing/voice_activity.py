"""Is somebody speaking? A causal gate from level and colour of each 20 ms frame, with an adaptive noise floor.

The level leaves out what lies below a voice (DC, hum, rumble). A quiet sound must have a voice's colour or begin
suddenly, or it is breath: vowels, nasals and bursts open the gate, and the hangover carries it over quiet fricatives.

Everything that decides is a function of the last `FLOOR_FRAMES` frames, so any chunking gives exactly the same gate.
Levels may run ahead of the frames they gate (dtalker feeds them 60 ms early): it is then open when the voice begins.

Levels that shaped the constants (20 ms RMS above 188 Hz, dBFS, 5th to 95th percentile): GRID speech -55..-10 over
noise at -64..-50; RAVDESS speech -73..-19, in its quietest clips never above -50, over a floor of -90, with breaths at
-65..-48.
"""

import numpy as np
import numpy.typing as npt

SILENCE_DB = -120.0
"""Levels are clamped here: digital silence."""

QUIETEST_VOICE_DB = -68.0
"""Whatever the floor, nothing below this level is a voice."""

LOUDEST_BREATH_DB = -45.0
"""Whatever the floor, nothing below this level is a whisper or a fricative: without a voice's colour it is breath."""

SUDDEN_DB = 25.0
SUDDEN_FRAMES = 3
"""What rises so much within 60 ms is no breath (RAVDESS: 9 of 10 consonants that a sentence begins with do, and of
breaths 1 in 8)."""

START_FLOOR_DB = -40.0
"""Assumed floor before anything was heard; the first quieter frames replace it at once."""

START_VOICE_FLOOR_DB = -60.0
"""The same for sounds of a voice's colour: a clip may begin with quiet speech."""

MARGIN_DB = 10.0
"""A voice is this much above the floor; quiet phones inside speech are bridged by the hangover."""

STEADY_FRAMES = 64
FLOOR_FRAMES = 2 * STEADY_FRAMES
"""The floor is the quietest 100 ms of the last 2.56 s: longer than most phrases, so that a pause is among them."""

STEADY_START_FRAMES = 12
STEADY_RANGE_DB = 5.0
"""A level that stayed in this range for 1.28 s (0.24 s when the stream begins with it) is noise, however loud."""

ONSET_FRAMES = 2
"""Frames in a row above the threshold that open the gate: a click, which is in one, is not a voice."""

HANGOVER_FRAMES = 14
"""The gate stays open this long after the last voiced frame: 280 ms, of which 60 ms are spent by the early levels."""

ATTACK_FRAMES = 3
RELEASE_FRAMES = 8
"""The gate opens in 60 ms and closes in 160 ms."""

MEAN_FRAMES = 5
"""The floor is sought in means over 100 ms: closures within speech do not count as pauses."""


class VoiceActivity:
    """The gate's state: the levels of the last 2.6 s, how far the gate is open, how long it stays."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything heard."""
        self._power = np.full(MEAN_FRAMES - 1, np.nan)
        self._mean_db = np.full(FLOOR_FRAMES - 1, np.nan)  # NaN: not heard yet
        self._level = np.full(SUDDEN_FRAMES, np.nan)
        self._heard_frames = 0
        self._speaking_frames = 0
        self._hangover_frames = 0
        self._opening = 0.0

    def end_hangover(self) -> None:
        """The voice heard so far is cut short (barge-in): without a new one, the gate begins to close at once."""
        self._speaking_frames = 0
        self._hangover_frames = 0

    def apply(self, level_db: npt.NDArray[np.float32], voiced: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
        """Gate (T,) in 0..1 (0 nobody speaks) for the level (T,) of each 20 ms frame in dBFS and for `voiced` (T,),
        whether it has the colour of a voice; both as `Features` has them.
        """
        (T,) = level_db.shape
        # float64, because numpy rounds the last elements of an array its own way: a threshold must not see that
        level = np.fmax(level_db.astype(np.float64), SILENCE_DB)
        mean_db = np.concatenate([self._mean_db, self._means_db(level)])
        self._mean_db = mean_db[T:]
        least_db = np.where(voiced | self._is_sudden(level), QUIETEST_VOICE_DB, LOUDEST_BREATH_DB)
        speaking = level > np.maximum(self._floor_db(mean_db, voiced) + MARGIN_DB, least_db)
        self._heard_frames += T
        opening = np.array([self._step(s) for s in speaking.tolist()], np.float32)
        return opening * opening * (3 - 2 * opening)

    def _is_sudden(self, level_db: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Whether each level (T,) is much above that of `SUDDEN_FRAMES` before; not where nothing was heard then."""
        level = np.concatenate([self._level, level_db])
        self._level = level[len(level_db) :]
        return level_db - level[: len(level_db)] > SUDDEN_DB

    def _means_db(self, level_db: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Mean (T,) over the last 100 ms in dBFS."""
        (T,) = level_db.shape
        power = np.concatenate([self._power, np.power(10.0, level_db / 10.0)])
        self._power = power[T:]
        total = power[:T].copy()
        for i in range(1, MEAN_FRAMES):
            total += power[i : i + T]
        return 10 * np.log10(total / MEAN_FRAMES)

    def _floor_db(self, mean_db: npt.NDArray[np.float64], voiced: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """Noise floor (T,) in dBFS from mean_db (FLOOR_FRAMES - 1 + T,): the quietest 100 ms, or a steady level."""
        (T,) = voiced.shape
        earlier, lately = mean_db[: STEADY_FRAMES - 1 + T], mean_db[STEADY_FRAMES:]
        low_db = _sliding(np.fmin, lately, STEADY_FRAMES)
        floor_db = np.fmin(_sliding(np.fmin, earlier, STEADY_FRAMES), low_db)
        steady = _sliding(np.fmax, lately, STEADY_FRAMES) - low_db < STEADY_RANGE_DB
        unheard = floor_db[: max(0, FLOOR_FRAMES - 1 - self._heard_frames)]
        if len(unheard):
            np.fmin(unheard, np.where(voiced, START_VOICE_FLOOR_DB, START_FLOOR_DB)[: len(unheard)], out=unheard)
        steady[: max(0, STEADY_START_FRAMES - self._heard_frames)] = False
        return np.where(steady, low_db, floor_db)

    def _step(self, speaking: bool) -> float:
        """Linear opening 0..1 after one more frame."""
        self._speaking_frames = self._speaking_frames + 1 if speaking else 0
        if self._speaking_frames >= ONSET_FRAMES:
            self._hangover_frames = HANGOVER_FRAMES
        elif self._hangover_frames:
            self._hangover_frames -= 1
        slope = 1 / ATTACK_FRAMES if self._hangover_frames else -1 / RELEASE_FRAMES
        self._opening = min(1.0, max(0.0, self._opening + slope))
        return self._opening


def _sliding(combine: np.ufunc, x: npt.NDArray[np.float64], width: int) -> npt.NDArray[np.float64]:
    """`combine` (minimum or maximum) over each window of `width` (a power of two) values."""
    if len(x) == width:  # frame by frame, the usual case of a live voice
        return combine.reduce(x, keepdims=True)
    span = 1
    while span < width:
        x = combine(x[span:], x[:-span])
        span *= 2
    return x
