"""From recorded pairs of faces and joint positions to a sparse map, and to the YAML of a head that has it."""

from dtalker_model.joint_maps.head_text import head_text, weighted
from dtalker_model.joint_maps.sparse_map import CHANNELS, JointMap, fit_joint

__all__ = ["CHANNELS", "JointMap", "fit_joint", "head_text", "weighted"]
