"""Everything that runs while the node is active: made by `activate`, ended by `close`."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from dtalker.srv import Express
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode
from std_srvs.srv import Trigger

from dtalker_ros.audio.audio_source import AudioSource
from dtalker_ros.audio.convert import AudioChunk, AudioReader
from dtalker_ros.audio.publishers import Publishers
from dtalker_ros.ear import Ear
from dtalker_ros.expression.expressed_talker import ExpressedTalker
from dtalker_ros.expression.expression_source import ExpressionSource
from dtalker_ros.look_at import LookAt
from dtalker_ros.outputs import Outputs
from dtalker_ros.parameters.node_parameters import NodeParameters
from dtalker_ros.parameters.parameters import expression_config, timeline_config
from dtalker_ros.timed_talker import TimedTalker
from dtalker_ros.timing.pace import MS
from dtalker_ros.timing.timeline import AUDIO_LEAD_MS, FRAME_NS
from dtalker_ros.worker import Worker

INFO_PERIOD_S = 1.0
"""Information is sent again this often, for late joiners."""
SPEAKER_PERIOD_S = 0.1


class Tap:
    """Subscription, worker, timers and services of an active talker node."""

    def __init__(
        self,
        node: LifecycleNode,
        talker: ExpressedTalker,
        outputs: Outputs,
        parameters: NodeParameters,
        hear: Callable[[AudioChunk], None],
    ) -> None:
        """`hear` gets all audio that comes, in the worker's thread, and returns at once."""
        self._node, self._outputs, self._parameters, self._hear = node, outputs, parameters, hear
        values = parameters.values()
        outputs.frame_id = values["frame_id"]
        self._talker = talker
        talker.config = expression_config(values)
        given = {name: values[name] for name in ("audio_sample_rate_hz", "audio_channels", "audio_format")}
        self.engine = TimedTalker(talker, timeline_config(values), values["publish_rate_hz"], self._now_ns())
        self._publishers = Publishers()
        self._simulated = bool(node.get_parameter("use_sim_time").value)
        read, real_time = AudioReader(node.get_logger().warning).read, not self._simulated
        self._ear = Ear(lambda: self.engine.timeline, given, self._publishers, read, self._now_ns, real_time)
        self._worker = Worker(
            self.engine,
            self._convert,
            outputs.publish,
            self._now_ns,
            node.get_logger(),
            poll=self._simulated,
            say_speaking=outputs.publish_speaking,
        )
        self._source = AudioSource(node, values["audio_type"], self._worker.submit, publishers=self._publishers)
        self._expressions = ExpressionSource(node, lambda: talker.card, talker.express)
        steady = Clock(clock_type=ClockType.STEADY_TIME)  # simulated time may stand still; who listens then is told too
        self._timers = [
            node.create_timer(INFO_PERIOD_S, self._on_second, clock=steady),
            node.create_timer(SPEAKER_PERIOD_S, self._on_speaker, clock=steady),
        ]
        self._look_at = LookAt(node, self.engine, lambda: outputs.frame_id)
        self._services = [
            node.create_service(Trigger, "~/flush", self._on_flush),
            node.create_service(Trigger, "~/reset", self._on_reset),
            node.create_service(Express, "~/express", self._on_express),
        ]
        node.get_logger().info(
            f"active: model {talker.card.name}, {self._source.description}, "
            f"the face {values['playout_delay_ms']:g} ms after the sound"
        )
        self._on_second()

    def close(self) -> None:
        """Bring the mouth to rest, at once, then undo `__init__` in the opposite order."""
        self._worker.stop()
        self._rest()
        for service in self._services:
            self._node.destroy_service(service)
        for timer in self._timers:
            self._node.destroy_timer(timer)
        self._expressions.close()
        self._look_at.close()
        self._source.close()
        self._talker.release()

    def _rest(self) -> None:
        """Publish the rows in which the mouth eases to rest, each as early as rows always come."""
        for row in self.engine.rest():
            self._until(row.stamp_ns - AUDIO_LEAD_MS * MS, FRAME_NS)
            self._outputs.publish([row])
        if self._outputs.speaks:
            self._until(self._now_ns() + AUDIO_LEAD_MS * MS)
            self._outputs.publish_speaking(False)
        self._outputs.settle()

    def _until(self, time_ns: int, most_ns: int = AUDIO_LEAD_MS * MS) -> None:
        """Wait until `time_ns`, for `most_ns` at most; not in simulated time, which may stand still."""
        if not self._simulated:
            time.sleep(min(max(time_ns - self._now_ns(), 0), most_ns) / 1e9)

    def change(self, values: Mapping[str, Any]) -> None:
        """Follow the node's own parameters: `values` holds all of them, the changed ones included."""
        self._outputs.frame_id = values["frame_id"]
        self._talker.config = expression_config(values)
        self.engine.configure(timeline_config(values), values["publish_rate_hz"], self._worker.engine_ns)
        self._worker.wake()

    def _convert(self, message: Any) -> AudioChunk | None:
        with self.engine.lock:  # another reading drops what waits
            chunk = self._ear.read(message, self._source.announced)
            self.engine.hearing_faults = self._ear.faults
        if chunk is not None:
            self._hear(chunk)
        return chunk

    def _on_second(self) -> None:
        self._outputs.publish_info(self._talker.card, self._parameters.values(), self.engine.timeline.delay_ms)
        self._outputs.publish_speaking()
        self._worker.lost_on_the_way = self._publishers.lost
        self._outputs.publish_diagnostics(self.engine, self._worker, self._source.connected)

    def _on_speaker(self) -> None:
        with self.engine.lock:
            settings, belief = self._talker.in_force, self._talker.belief
            shown_ns = self.engine.timeline.show_ns(self._talker.samples)
            delay_ns = round(self.engine.timeline.delay_ms * MS)
        if settings.listens:
            self._outputs.publish_speaker(belief, shown_ns - delay_ns)

    def _on_flush(self, request: Any, response: Any) -> Any:
        self._worker.drain()
        response.success, response.message = True, f"dropped {self.engine.flush():.2f} s of audio"
        return response

    def _on_reset(self, request: Any, response: Any) -> Any:
        self._worker.reset()
        response.success, response.message = True, "fresh state, sequence 0"
        return response

    def _on_express(self, request: Any, response: Any) -> Any:
        wanted = {"identity": request.identity, "emotion": request.emotion}
        values: dict[str, Any] = {name: value for name, value in wanted.items() if value}
        if not request.intensity < 0:  # NaN too, which is refused
            values["intensity"] = float(request.intensity)
        result = self._parameters.set(values)
        response.success, response.message = bool(result.successful), str(result.reason)
        if response.success and self._talker.expressing:
            response.message = f"shown once the expression {self._talker.expressing!r} of the topic is over"
        return response

    def _now_ns(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)
