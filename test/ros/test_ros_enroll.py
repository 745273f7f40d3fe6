"""`~/enroll` with real rclpy: from a file, from the topic while the face goes on, and every refusal with its reason."""

import queue
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from ros_rig import QOS, Listener, finish, listener, start, talker
from voices_rig import library_file, voice

# isort: split

from array import array

from dtalker.srv import Enroll, Express
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParameters
from std_msgs.msg import Int16MultiArray

import dtalker_model
from dtalker_model.blendshapes import INDEX
from dtalker_model.cli.main import main
from dtalker_model.voices.voices_library import VoiceLibrary

__all__ = ["library_file", "listener"]

NO_WISH: dict[str, Any] = {"path": "", "seconds": 0.0, "replace": False}
JAW_OPEN = INDEX["jawOpen"]
CHUNK_SAMPLES = 320
CHUNK_S = 0.02


def enroll(listener: Listener, name: str, **wish: Any) -> Any:
    return listener.call(Enroll, "dtalker/enroll", name=name, **{**NO_WISH, **wish})


def set_identity(listener: Listener, name: str) -> Any:
    value = ParameterValue(type=4, string_value=name)
    request = [Parameter(name="identity", value=value)]
    return listener.call(SetParameters, "dtalker/set_parameters", parameters=request).results[0]


@pytest.fixture
def speech(demo_wav: Path) -> np.ndarray:
    return soundfile.read(demo_wav, dtype="int16")[0]


def test_from_a_file_and_at_once_an_identity(
    listener: Listener, library_file: Path, demo_wav: Path, speech: np.ndarray, tmp_path: Path
) -> None:
    short = tmp_path / "short.wav"
    soundfile.write(short, speech[: 2 * 16_000], 16_000)
    with talker(listener):
        refused = set_identity(listener, "anna")
        assert not refused.successful and "unknown name 'anna'" in refused.reason
        answer = enroll(listener, "anna", path=str(short))
        assert not answer.success
        assert " s of speech in 2.0 s of audio, at least 3 s are needed" in answer.message
        assert 1 < answer.speech_s < 2
        answer = enroll(listener, "anna", path=str(demo_wav))
        assert answer.success, answer.message
        assert answer.message.startswith("learned from 8.")
        assert 8 < answer.speech_s < 10
        assert set_identity(listener, "anna").successful
        assert listener.call(Express, "dtalker/express", identity="", emotion="anna", intensity=-1.0).success
        count = len(listener.infos)
        listener.until(lambda: len(listener.infos) > count, "information")
        assert "anna" in listener.infos[-1].identities and "anna" in listener.infos[-1].emotions
        got = listener.call(GetParameters, "dtalker/get_parameters", names=["identity", "emotion_weights.anna"]).values
        assert [v.type for v in got] == [4, 3] and got[0].string_value == "anna"
        refused = set_identity(listener, "zoe")
        assert not refused.successful
        answer = enroll(listener, "anna", path=str(demo_wav))
        assert not answer.success and "there is a voice 'anna'" in answer.message
        assert enroll(listener, "anna", path=str(demo_wav), replace=True).success
        for name, path, reason in (
            ("a b", str(demo_wav), "expected a letter and up to 63"),
            ("happy", str(demo_wav), "a name of the model"),
            ("zoe", "/nowhere/zoe.wav", "No such file or directory"),
        ):
            answer = enroll(listener, name, path=path)
            assert not answer.success and reason in answer.message
    listener.assert_grid()
    assert [v.name for v in VoiceLibrary().voices()] == ["anna"]


def test_from_the_topic_while_the_face_goes_on(listener: Listener, library_file: Path, speech: np.ndarray) -> None:
    publisher = listener.node.create_publisher(Int16MultiArray, "audio", QOS)
    pieces: queue.SimpleQueue[np.ndarray] = queue.SimpleQueue()
    for begin in range(0, len(speech), CHUNK_SAMPLES):
        pieces.put(speech[begin : begin + CHUNK_SAMPLES])

    def say() -> None:
        if not pieces.empty():
            publisher.publish(Int16MultiArray(data=array("h", pieces.get().tobytes())))

    # Late chunks of this very process are no loss to blame on the enrolment: nothing is dropped for its time.
    with talker(listener, gap_ms=5_000.0, max_lateness_ms=60_000.0):
        listener.until(publisher.get_subscription_count, "the subscription")
        client = listener.node.create_client(Enroll, "dtalker/enroll")
        listener.until(client.service_is_ready, "the service")
        first = client.call_async(Enroll.Request(name="anna", seconds=3.5))
        listener.logged("voice 'anna': listening to the topic")
        listener.node.create_timer(CHUNK_S, say)
        begun_ns = listener.node.get_clock().now().nanoseconds
        second = enroll(listener, "zoe")
        assert not second.success and "another voice is being learned" in second.message
        assert not first.done(), "the first is still listening"
        listener.until(first.done, "the voice")
        answer = first.result()
        assert answer.success, answer.message
        assert answer.speech_s == pytest.approx(3.5, abs=0.1)
        jaw = [message.weights[JAW_OPEN] for when, message in listener.frames if when > begun_ns + 1_000_000_000]
        assert len(jaw) > 100 and max(jaw) > 0.1, "frames went on, and the face spoke"
        assert set_identity(listener, "anna").successful
        assert float(listener.fresh_diagnostics()["dropped_audio_s"]) == 0
    listener.assert_grid()
    (stored,) = VoiceLibrary().voices()
    assert stored.speech_s == pytest.approx(answer.speech_s)


def test_voices_of_the_command_line_and_a_node_that_hears_nothing(
    listener: Listener, library_file: Path, demo_wav: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with talker(listener):
        assert main(["enroll", str(demo_wav), "--name", "anna"]) == 0
        assert set_identity(listener, "anna").successful, "enrolled while the node ran"
        waiting = listener.node.create_client(Enroll, "dtalker/enroll")
        listener.until(waiting.service_is_ready, "the service")
        pending = waiting.call_async(Enroll.Request(name="zoe"))
        listener.logged("voice 'zoe': listening to the topic")
        answer = listener.call(Express, "dtalker/express", identity="default", emotion="", intensity=-1.0)
        assert answer.success and not pending.done()
        deactivate = Transition(id=Transition.TRANSITION_DEACTIVATE)
        assert listener.call(ChangeState, "dtalker/change_state", transition=deactivate).success
        listener.until(pending.done, "the answer")
        assert pending.result().message == "not learned: the node was deactivated"
        answer = enroll(listener, "zoe")
        assert not answer.success and "the node is not active" in answer.message
        assert enroll(listener, "zoe", path=str(demo_wav)).success
        activate = Transition(id=Transition.TRANSITION_ACTIVATE)
        assert listener.call(ChangeState, "dtalker/change_state", transition=activate).success
        assert set_identity(listener, "zoe").successful
    count = len(listener.infos)
    with talker(listener, identity="anna", emotion="zoe"):
        assert {"anna", "zoe"} <= set(listener.infos[count].identities)


def test_start_with_a_voice_of_another_model_says_what_to_do(listener: Listener, library_file: Path) -> None:
    VoiceLibrary().add(voice("anna"))
    code, output = finish(start("talker_node", identity="anna"))
    assert code == 1
    assert "cannot configure: voice 'anna' was enrolled with model 'test'" in output


def test_start_with_a_voice_of_the_wrong_shape_says_what_to_do(listener: Listener, library_file: Path) -> None:
    VoiceLibrary().add(voice("anna", dtalker_model.load().card.sha256))
    code, output = finish(start("talker_node", identity="anna"))
    assert code == 1
    assert output.count("[FATAL]") == 1 and "Traceback" not in output, output
    assert "cannot configure: voice 'anna' in" in output and "embeddings of 2 numbers, the model 'dtalker' of" in output
