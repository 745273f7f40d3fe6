"""Which dtalker this is, and what it runs on."""

import platform
from importlib import metadata
from pathlib import Path
from xml.etree import ElementTree

LIBRARIES = ("numpy", "onnxruntime", "soxr", "soundfile")


def dtalker_version() -> str:
    """Version of the checkout where there is one, of the installed distribution otherwise."""
    package_xml = Path(__file__).parents[2] / "package.xml"
    if package_xml.is_file():
        return ElementTree.parse(package_xml).findtext("version") or "unknown"
    return _installed("dtalker")


def versions() -> dict[str, str]:
    """Versions of dtalker, Python and the libraries of the runtime path."""
    return {
        "dtalker": dtalker_version(),
        "python": platform.python_version(),
        **{name: _installed(name) for name in LIBRARIES},
    }


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "unknown"
