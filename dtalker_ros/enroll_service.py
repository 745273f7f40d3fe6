"""The service ``~/enroll`` of the talker node: the callback waits as a coroutine, so that everything else goes on."""

from collections.abc import Callable
from typing import Any

from dtalker.srv import Enroll
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future

from dtalker_model.voices.voices import Voice
from dtalker_ros.audio.convert import AudioChunk
from dtalker_ros.enroller import Enroller, Outcome, Wish


class EnrollService:
    """Learns one voice at a time, from `configure` to `cleanup`."""

    def __init__(self, node: Node, model: str, hears: Callable[[], bool], learned: Callable[[Voice], None]) -> None:
        """`hears`: whether the node listens to its topic; `learned` gets the voice, in the node's executor."""
        self._node, self._model, self._hears, self._learned = node, model, hears, learned
        self._enroller: Enroller | None = None
        # A group of its own: a callback that waits keeps the others of its group waiting.
        group = ReentrantCallbackGroup()
        self._service = node.create_service(Enroll, "~/enroll", self._on_enroll, callback_group=group)

    def hear(self, chunk: AudioChunk) -> None:
        """A chunk of the topic; in any thread, returns at once."""
        enroller = self._enroller
        if enroller is not None:
            enroller.hear(chunk)

    def stop(self, reason: str) -> None:
        """End a running enrolment; it is answered with `reason`."""
        if self._enroller is not None:
            self._enroller.stop(reason)

    def close(self) -> None:
        """End a running enrolment and take the service away."""
        self.stop("the node is being closed")
        self._node.destroy_service(self._service)

    async def _on_enroll(self, request: Any, response: Any) -> Any:
        outcome = await self._outcome(Wish(request.name, request.path, float(request.seconds), request.replace))
        said = f"voice {request.name!r}: {outcome.message}"
        if outcome.voice is None:
            self._node.get_logger().error(said)
        else:
            self._learned(outcome.voice)
            self._node.get_logger().info(said)
        response.success, response.message = outcome.voice is not None, outcome.message
        response.speech_s = float(outcome.speech_s)
        return response

    async def _outcome(self, wish: Wish) -> Outcome:
        if self._enroller is not None:
            return Outcome(None, "another voice is being learned: ask again when that is done")
        if not wish.path and not self._hears():
            return Outcome(None, "the node is not active and hears nothing: activate it, or give a path")
        self._node.get_logger().info(f"voice {wish.name!r}: listening to {wish.path or 'the topic'}")
        done: Future = Future(executor=self._node.executor)
        self._enroller = Enroller(self._model, wish, done.set_result)
        try:
            return await done  # type: ignore[no-any-return, unused-ignore]
        finally:
            self._enroller = None
