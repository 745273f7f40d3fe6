"""Checks a machine for a talking face and says what to mend: ``ros2 run dtalker doctor``.

``--json`` prints a list of findings; ROS arguments follow ``--ros-args``, such as ``-r audio:=/robot/speech``.
"""

import argparse
import json
import sys
from collections.abc import Sequence

from dtalker_ros.doctor.examination import examine
from dtalker_ros.doctor.finding import as_json, exit_code, summary, told

ROS = "--ros-args"


def main(args: Sequence[str] | None = None) -> int:
    """Print what was found; returns 0 where nothing is an error, else 1."""
    words = list(sys.argv[1:] if args is None else args)
    own, ros = (words[: words.index(ROS)], words[words.index(ROS) :]) if ROS in words else (words, [])
    parser = argparse.ArgumentParser(prog="doctor", description="Checks this machine and says what to mend.")
    parser.add_argument("--json", action="store_true", help="print a list of findings instead of lines")
    as_list = parser.parse_args(own).json
    findings = []
    for finding in examine(ros):
        findings.append(finding)
        if not as_list:
            print(told(finding), flush=True)
    print(json.dumps([as_json(finding) for finding in findings], indent=1) if as_list else summary(findings))
    return exit_code(findings)


if __name__ == "__main__":
    sys.exit(main())
