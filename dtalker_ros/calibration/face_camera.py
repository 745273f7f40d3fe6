"""What a camera sees of a face: an interface, and the one of OpenCV and MediaPipe's face landmarker."""

import contextlib
import importlib
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dtalker_model.blendshapes import INDEX
from dtalker_model.errors import DtalkerError
from dtalker_model.joint_maps import CHANNELS

STALE = 4
"""Pictures that a camera's driver may have kept from before the head stood still."""


class FaceCamera(Protocol):
    """Looks at one face."""

    def look(self) -> NDArray[np.float64] | None:
        """What the face does now: (57,) of `CHANNELS`, coefficients 0..1 and rad; None where no face is seen.

        Raises `DtalkerError` where the camera gives no picture.
        """

    def close(self) -> None:
        """Give the camera back; may be called again."""


class OpenCvCamera:
    """A camera by OpenCV, a face by MediaPipe's face landmarker, which knows 51 of ARKit's blendshapes (not tongueOut).

    Gaze is 0: the eyeLook coefficients tell it.
    """

    def __init__(self, source: str, landmarker: Path) -> None:
        """`source`: number of a camera, or a file or address that OpenCV reads. `landmarker`: ``face_landmarker.task``.

        Raises `DtalkerError` where a library, the model or the camera is missing.
        """
        self._cv2 = _needed("cv2", "opencv-python")
        self._mediapipe = _needed("mediapipe", "mediapipe")
        tasks = _needed("mediapipe.tasks.python", "mediapipe")
        if not landmarker.is_file():
            raise DtalkerError(
                f"no face landmarker at {landmarker}: download face_landmarker.task from MediaPipe's model page "
                "(ai.google.dev/edge/mediapipe/solutions/vision/face_landmarker)"
            )
        options = tasks.vision.FaceLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=str(landmarker)),
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        self._landmarker = tasks.vision.FaceLandmarker.create_from_options(options)
        self._capture = self._cv2.VideoCapture(int(source) if source.isdigit() else source)
        if not self._capture.isOpened():
            self.close()
            raise DtalkerError(f"cannot open camera {source}: look at `ls /dev/video*`, and who else has it")

    def look(self) -> NDArray[np.float64] | None:
        for _ in range(STALE):
            self._capture.grab()
        there, picture = self._capture.read()
        if not there:
            raise DtalkerError("the camera gives no more pictures: look at its cable")
        rgb = self._cv2.cvtColor(picture, self._cv2.COLOR_BGR2RGB)
        image = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=rgb)
        return seen(self._landmarker.detect(image))

    def close(self) -> None:
        with contextlib.suppress(AttributeError):  # it failed before there was one
            self._capture.release()
        self._landmarker.close()


def seen(result: Any) -> NDArray[np.float64] | None:
    """(57,) of `CHANNELS` from a `FaceLandmarkerResult`; None without a face."""
    if not result.face_blendshapes:
        return None
    channels = np.zeros(len(CHANNELS))
    for category in result.face_blendshapes[0]:
        if (index := INDEX.get(category.category_name)) is not None:  # but for `_neutral`
            channels[index] = category.score
    channels[CHANNELS.index("yaw") :][:3] = turn(np.asarray(result.facial_transformation_matrixes[0])[:3, :3])
    return channels


def turn(rotation: NDArray[np.float64]) -> tuple[float, float, float]:
    """Yaw, pitch and roll as in `dtalker/Head`, of a rotation (3, 3) in a camera's axes: x right, y up, z back."""
    to_ros = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]])  # x forward out of the face, y to its own left, z up
    r = to_ros @ rotation @ to_ros.T
    yaw, pitch, roll = np.arctan2(r[1, 0], r[0, 0]), -np.arcsin(np.clip(r[2, 0], -1, 1)), np.arctan2(r[2, 1], r[2, 2])
    return float(yaw), float(pitch), float(roll)


def _needed(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise DtalkerError(f"calibrate_head needs the Python package {package}: pip install {package}") from None
