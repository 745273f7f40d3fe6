"""Rewrites the include folders of the wheels' build machine to those of this interpreter.

The CMake files that the ROS wheels export name ``/opt/python/cpXYZ-cpXYZ/...``, which exists on no other machine.
Run it with the Python of the virtual environment; running it again changes nothing.
"""

import re
import sys
import sysconfig
from pathlib import Path

import numpy

BUILD_MACHINE = r"/opt/python/cp\d+-cp\d+"
PYTHON_INCLUDE = re.compile(BUILD_MACHINE + r"/include/python[\d.]+")
NUMPY_INCLUDE = re.compile(BUILD_MACHINE + r"/lib/python[\d.]+/site-packages/numpy/_?core/include")


def patched(text: str) -> str:
    """`text` of a CMake file with this interpreter's include folders."""
    python_include = sysconfig.get_path("include")
    text = PYTHON_INCLUDE.sub(lambda _: python_include, text)
    return NUMPY_INCLUDE.sub(lambda _: numpy.get_include(), text)


def main() -> None:
    for path in Path(sys.prefix, "share").glob("*/cmake/*.cmake"):
        text = path.read_text()
        if patched(text) != text:
            path.write_text(patched(text))


if __name__ == "__main__":
    main()
