"""For pip alone (colcon reads package.xml first). The version lives in package.xml, once."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from setuptools import setup

setup(version=ElementTree.parse(Path(__file__).with_name("package.xml")).findtext("version"))
