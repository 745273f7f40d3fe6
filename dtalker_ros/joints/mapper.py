"""Frames in, joint positions out, tick by tick. No threads, no clock, no ROS in it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dtalker_model.output.pose import POSE_NAMES
from dtalker_ros.joints.dead_band import DeadBand
from dtalker_ros.joints.face_map import FACE, FaceMap
from dtalker_ros.joints.frame_buffer import FrameBuffer
from dtalker_ros.joints.head import Head
from dtalker_ros.joints.heat import Heat
from dtalker_ros.joints.motion import HeadMotion
from dtalker_ros.joints.screening import Screening

PERIOD_S = 0.01
"""From tick to tick, unless told otherwise: 100 Hz."""
MARGIN_NS = 20_000_000
"""A frame may come so much later than the lead time asks."""
KNOWN_FRAMES = 100
"""From so many frames on it is known how far ahead they come."""
FADE = 0.02
"""Share of each new frame in the mean of how far ahead frames come."""


@dataclass(frozen=True)
class Command:
    """Where the J joints are to be at the end of the tick, in the file's order and each joint's unit."""

    positions: NDArray[np.float64]
    velocities: NDArray[np.float64]
    accelerations: NDArray[np.float64]
    torque: tuple[bool, ...]
    """Whether each joint's servo is to hold."""

    @classmethod
    def of(cls, motion: HeadMotion, torque: tuple[bool, ...]) -> "Command":
        """Where `motion` stands now."""
        return cls(
            np.array([joint.position for joint in motion.joints]),
            np.array([joint.velocity for joint in motion.joints]),
            np.array([joint.acceleration for joint in motion.joints]),
            torque,
        )


class JointMapper:
    """A head that follows frames. Times are nanoseconds of whichever clock stamps the frames."""

    def __init__(
        self, head: Head, positions: ArrayLike | None = None, period_s: float = PERIOD_S, delay_s: float = 0.0
    ) -> None:
        """`positions` (J,): where the joints stand; None: at neutral. `period_s`: from one `tick` to the next.

        `delay_s`: frames are shown so long after their time, as is the sound; lead times count from there.
        """
        self.head, self._period_s = head, period_s
        self._map = FaceMap(head)
        self._delay_ns = round(delay_s * 1e9)
        self._leads_ns = [round((joint.lead_s - delay_s) * 1e9) for joint in head.joints]
        self._face, self._pose = FrameBuffer(), FrameBuffer()
        self._screens = (
            Screening("blendshapes", FACE, 0.0, 1.0, slack=1.0),
            Screening("head", len(POSE_NAMES), -np.pi, np.pi, slack=0.0),
        )
        self.heats = [Heat(joint, joint.neutral, period_s) for joint in head.joints]
        self._frames, self._ahead_ns = 0, 0.0
        self.stopped = False
        """Whether the head holds at neutral until it is resumed."""
        self._ending = False
        self._warned: set[str] = set()
        self._said: list[str] = []
        self.place(positions)

    def place(self, positions: ArrayLike | None) -> None:
        """Go on from here: the joints stand still at `positions` (J,); None: at neutral."""
        neutral = self.head.neutral
        given = np.asarray(neutral if positions is None else positions, np.float64)
        self._motion = HeadMotion(self.head, np.where(np.isfinite(given), given, neutral), self._period_s)
        self._bands = [DeadBand(joint.dead_band, joint.neutral, self._period_s) for joint in self.head.joints]
        self._torque = [True] * len(self.head.joints)
        for heat, motion in zip(self.heats, self._motion.joints):
            heat.place(motion.position)

    def push_face(self, stamp_ns: int, now_ns: int, weights: ArrayLike) -> None:
        """Take a frame of the face: 52 weights in ARKit's order, to be shown at `stamp_ns`."""
        if (row := self._screens[0].passed(stamp_ns, now_ns, weights)) is not None:
            self._face.push(stamp_ns, now_ns, self._map.face(row))
            self._frames += 1
            share = max(1.0 / self._frames, FADE)
            self._ahead_ns += share * (stamp_ns - now_ns - self._ahead_ns)

    def push_pose(self, stamp_ns: int, now_ns: int, pose: ArrayLike) -> None:
        """Take a pose of head and eyes: `POSE_NAMES`, rad, to be shown at `stamp_ns`."""
        if (row := self._screens[1].passed(stamp_ns, now_ns, pose)) is not None:
            self._pose.push(stamp_ns, now_ns, self._map.pose(row))

    def stop(self) -> None:
        """Go to neutral at full speed, whatever comes, and hold there until `resume`."""
        self.stopped = True

    def resume(self) -> None:
        """Follow the frames again."""
        self.stopped = False

    def end(self) -> None:
        """Go softly to neutral; there is no way back. Done when `rests`."""
        self._ending = True

    @property
    def rests(self) -> bool:
        """Whether all joints stand still."""
        return all(motion.rests for motion in self._motion.joints)

    @property
    def refusals(self) -> int:
        """Trajectories that would have left their room and were not taken."""
        return sum(motion.refusals for motion in self._motion.joints)

    @property
    def refused(self) -> dict[str, int]:
        """Frames that moved no joint, by topic and reason."""
        counts = zip(("blendshapes", "head"), (screen.refused for screen in self._screens))
        return {f"{topic}: {reason}": n for topic, refused in counts for reason, n in refused.items()}

    @property
    def faults(self) -> list[str]:
        """What is wrong now."""
        hot = [joint.name for joint, heat in zip(self.head.joints, self.heats) if heat.warning]
        stopped = ["stopped until it is resumed"] if self.stopped else []
        return [*stopped, *(f"joint {name} gets hot" for name in hot)]

    def figures(self) -> dict[str, str]:
        """What the diagnostics tell, by name."""
        figures = {f"refused: {reason}": str(count) for reason, count in self.refused.items()}
        if self._frames:
            figures["frames_ahead_ms"] = f"{self._ahead_ns / 1e6:.0f}"
        for joint, heat, torque in zip(self.head.joints, self.heats, self._torque):
            figures[f"{joint.name}: torque"] = "on" if torque else "off"
            figures[f"{joint.name}: duty"] = f"{heat.duty:.2f}"
            if joint.heat is not None:
                figures[f"{joint.name}: warmth"] = f"{heat.warmth:.2f}"
        return figures

    def tick(self, now_ns: int) -> Command:
        """Go on by one tick, which begins at `now_ns`."""
        for buffer in (self._face, self._pose):
            buffer.forget(now_ns, self._delay_ns)
        face, pose = self._face.fresh(now_ns), self._pose.fresh(now_ns)
        aims = [self._aim(place, now_ns, face, pose) for place in range(len(self.head.joints))]
        self._motion.step(np.array([target for target, _ in aims]), [share for _, share in aims])
        for place, (heat, motion) in enumerate(zip(self.heats, self._motion.joints)):
            self._torque[place] = self._holds(place)
            heat.step(motion.position, self._torque[place])
        self._judge()
        return Command.of(self._motion, tuple(self._torque))

    def sayings(self) -> list[str]:
        """What is to be said now, each once."""
        said, self._said = self._said, []
        return [*said, *(text for screen in self._screens for text in screen.sayings())]

    def _aim(self, place: int, now_ns: int, face: bool, pose: bool) -> tuple[float, float]:
        """Where the joint at `place` is to go, and with which share of its velocity."""
        joint, band = self.head.joints[place], self._bands[place]
        if self.stopped:
            return joint.neutral, 1.0
        followed = (face if self._map.uses_face[place] else pose) and not self._ending
        band.follow(self._wish(place, now_ns + self._leads_ns[place], pose) if followed else joint.neutral)
        if not followed or self._idle(place):
            return joint.neutral, self.head.soft_velocity
        return joint.neutral + self.heats[place].gain * (band.held - joint.neutral), 1.0

    def _wish(self, place: int, time_ns: int, pose: bool) -> float:
        total = self._face.at(place, time_ns) + (self._pose.at(place, time_ns) if pose else 0.0)
        return self._map.wish(place, total)

    def _idle(self, place: int) -> bool:
        after_s = self.head.joints[place].release_after_s
        return after_s is not None and self._bands[place].still_s >= after_s

    def _holds(self, place: int) -> bool:
        return self.stopped or not (self._idle(place) and self._motion.joints[place].rests)

    def _judge(self) -> None:
        for joint, heat in zip(self.head.joints, self.heats):
            if heat.warning:
                self._say(f"heat of {joint.name}", f"joint {joint.name} gets hot: it moves less until it is cooler")
            else:
                self._warned.discard(f"heat of {joint.name}")
        if self._frames >= KNOWN_FRAMES and (late_ns := max(self._leads_ns) - self._ahead_ns) > MARGIN_NS:
            self._say("late", self._late(late_ns))

    def _late(self, late_ns: float) -> str:
        slowest = self.head.joints[int(np.argmax(self._leads_ns))]
        return (
            f"frames come {late_ns / 1e6:.0f} ms too late for the lead_s of {slowest.name}: raise delay_ms by that, "
            f"and play the sound as much later"
        )

    def _say(self, what: str, text: str) -> None:
        if what not in self._warned:
            self._warned.add(what)
            self._said.append(text)
