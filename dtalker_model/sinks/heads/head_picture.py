"""Pictures of a head without a display: triangles from back to front, shaded flat, drawn by Pillow."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dtalker_model.sinks.heads.glb_container import Glb
from dtalker_model.sinks.heads.head_mesh import Floats, HeadMesh
from dtalker_model.sinks.heads.neck import neck_point, turned
from dtalker_model.sinks.needed import needed

BACKGROUND = (233, 237, 243)
FINER = 2
"""Drawn this much larger and reduced, so that edges are smooth."""

_MARGIN = 1.12
_CAMERA_HEADS = 4.0
"""Distance of the camera in head heights: a portrait lens."""
_KEY_LIGHT = np.array([0.45, 0.55, 0.75], np.float32) / np.float32(np.linalg.norm([0.45, 0.55, 0.75]))
_AMBIENT, _KEY, _SKY = 0.42, 0.5, 0.16


class Posable(Protocol):
    """Triangles that move, as `HeadMesh` has them."""

    @property
    def vertices(self) -> Floats: ...
    @property
    def triangles(self) -> npt.NDArray[np.int64]: ...
    @property
    def colours(self) -> Floats: ...
    @property
    def two_sided(self) -> npt.NDArray[np.bool_]: ...
    def posed(self, weights: Floats, /) -> Floats:
        """Vertices (V, 3)."""


class MeshPicture:
    """Draws `mesh`, seen from the front, in squares of `size` pixels. Raises `SinkError` without Pillow."""

    def __init__(self, mesh: Posable, size: int) -> None:
        self.size = size
        self._image: Any = needed("PIL.Image", "pillow")
        self._draw: Any = needed("PIL.ImageDraw", "pillow")
        self._mesh = mesh
        low, high = self._mesh.vertices.min(axis=0), self._mesh.vertices.max(axis=0)
        self._centre = (low + high) / 2
        self._neck = neck_point(low, high)
        height = float(max((high - low)[:2]))
        self._camera_z = float(high[2]) + _CAMERA_HEADS * height
        self._focus = size * FINER / (height * _MARGIN) * _CAMERA_HEADS * height

    def draw(self, weights: Floats, head: Floats | None = None) -> bytes:
        """The picture for `weights` of the mesh, turned by the pose `head` (5,): rows of RGB bytes from the top."""
        side = self.size * FINER
        image = self._image.new("RGB", (side, side), BACKGROUND)
        polygon = self._draw.Draw(image).polygon
        vertices = self._mesh.posed(weights)
        if head is not None and head.any():
            vertices = turned(vertices, self._neck, head)
        corners, colours = self._seen(vertices)
        for points, colour in zip(corners.reshape(-1, 6).tolist(), colours.tolist()):
            polygon(points, fill=tuple(colour))
        return bytes(image.reduce(FINER).tobytes())

    def _seen(self, vertices: Floats) -> tuple[Floats, npt.NDArray[np.uint8]]:
        """Corners (F, 3, 2) in pixels and colours (F, 3) of the triangles that face the camera, far ones first."""
        depth = self._camera_z - vertices[:, 2]
        scale = self._focus / depth
        half = self.size * FINER / 2
        x = half + (vertices[:, 0] - self._centre[0]) * scale
        y = half - (vertices[:, 1] - self._centre[1]) * scale
        triangles = self._mesh.triangles
        points = np.stack([x, y], axis=1)[triangles]
        side_a, side_b = points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]
        area = side_a[:, 1] * side_b[:, 0] - side_a[:, 0] * side_b[:, 1]  # above 0: the outside is seen
        faces = np.flatnonzero((area > 0) | (self._mesh.two_sided & (area != 0)))
        far_first = faces[np.argsort(-depth[triangles[faces]].mean(axis=1), kind="stable")]
        return points[far_first], self._shaded(vertices, far_first, area[far_first] > 0)

    def _shaded(
        self, vertices: Floats, faces: npt.NDArray[np.int64], outside: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.uint8]:
        """sRGB (F, 3) of `faces`: a key light from above the viewer's right shoulder, and the sky."""
        a, b, c = (vertices[self._mesh.triangles[faces, corner]] for corner in range(3))
        normals = np.cross(b - a, c - a)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        normals[~outside] *= -1
        light = _AMBIENT + _KEY * np.maximum(normals @ _KEY_LIGHT, 0) + _SKY * (0.5 + 0.5 * normals[:, 1])
        linear = np.clip(self._mesh.colours[faces] * light[:, None], 0, 1)
        return np.rint(255 * linear ** (1 / 2.2)).astype(np.uint8)


class HeadPicture(MeshPicture):
    """Draws the head of `glb` for ARKit weights (52,)."""

    def __init__(self, glb: Glb, size: int) -> None:
        super().__init__(HeadMesh.of(glb), size)
