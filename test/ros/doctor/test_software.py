"""Packages, messages, and what the environment says about ROS."""

import pytest

from dtalker_ros.doctor.finding import Level
from dtalker_ros.doctor.middleware import check_distribution, check_domain, check_profiles, check_reach, check_rmw
from dtalker_ros.doctor.software import (
    NEEDED,
    OPTIONAL,
    check_foreign_messages,
    check_messages,
    check_needed,
    check_optional,
    check_python,
    found_version,
    imported_version,
)


def without(*missing: str) -> object:
    def version(module: str) -> str:
        if module in missing:
            raise ImportError(f"No module named {module!r}")
        return "1.2"

    return version


def test_the_python() -> None:
    assert check_python((3, 10, 4)).level == Level.OK
    assert check_python((3, 8, 10)).level == Level.ERROR


def test_each_package_that_is_missing_is_an_error_of_its_own() -> None:
    (fine,) = check_needed(without())  # type: ignore[arg-type]
    assert fine.level == Level.OK and all(f"{name} 1.2" in fine.text for name in NEEDED)
    there, *errors = check_needed(without("soxr", "numpy"))  # type: ignore[arg-type]
    assert there.level == Level.OK and "soxr" not in there.text
    assert [(e.level, e.text.split()[0], e.remedy.split(",")[0]) for e in errors] == [
        (Level.ERROR, "numpy", "pip install numpy"),
        (Level.ERROR, "soxr", "pip install soxr"),
    ]


def test_a_package_that_breaks_when_it_is_imported_is_named() -> None:
    def version(module: str) -> str:
        if module == "onnxruntime":
            raise RuntimeError("illegal instruction")
        return ""

    _, error = check_needed(version)
    assert "onnxruntime cannot be imported (illegal instruction)" in error.text


def test_optional_packages_are_never_an_error_and_say_what_they_are_for() -> None:
    assert check_optional(without(), lambda name: "/usr/bin/ffmpeg").remedy == ""  # type: ignore[arg-type]
    finding = check_optional(without("sounddevice", "yaml"), lambda name: None)  # type: ignore[arg-type]
    assert finding.level == Level.OK
    assert "sounddevice (microphone_node, audio_player_node), pyyaml (joint_mapper_node)" in finding.remedy
    assert finding.remedy.endswith("the program ffmpeg (sink video)")
    assert all(name and purpose for name, purpose in OPTIONAL.values())


def test_messages_that_are_not_built() -> None:
    assert check_messages(without()).level == Level.OK  # type: ignore[arg-type]
    finding = check_messages(without("dtalker.msg"))  # type: ignore[arg-type]
    assert finding.level == Level.ERROR and "colcon build" in finding.remedy


def test_messages_of_others_are_told() -> None:
    finding = check_foreign_messages(without("hri_msgs"))  # type: ignore[arg-type]
    assert (finding.level, finding.text) == (Level.OK, "audio_common_msgs, foxglove_msgs")
    assert "hri_msgs (" in finding.remedy


def test_versions_of_this_python() -> None:
    assert imported_version("numpy").count(".") >= 1
    assert found_version("json") == ""
    with pytest.raises(ImportError):
        found_version("no_such_module")


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("", Level.OK),
        ("7", Level.OK),
        ("150", Level.WARN),
        ("233", Level.ERROR),
        ("-1", Level.ERROR),
        ("a", Level.ERROR),
    ],
)
def test_the_domain(text: str, level: Level) -> None:
    assert check_domain({"ROS_DOMAIN_ID": text}).level == level


def test_the_reach() -> None:
    assert check_reach({}).text.startswith("the network")
    assert check_reach({"ROS_LOCALHOST_ONLY": "1"}).text.startswith("this machine alone")
    assert check_reach({"ROS_AUTOMATIC_DISCOVERY_RANGE": "localhost"}).text.startswith("this machine alone")
    assert check_reach({"ROS_AUTOMATIC_DISCOVERY_RANGE": "OFF"}).level == Level.WARN


def test_the_middleware() -> None:
    assert check_rmw("rmw_fastrtps_cpp", {}).level == Level.OK
    assert check_rmw("rmw_cyclonedds_cpp", {"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}).level == Level.OK
    finding = check_rmw("rmw_fastrtps_cpp", {"RMW_IMPLEMENTATION": "rmw_zenoh_cpp", "ROS_DISTRO": "jazzy"})
    assert finding.level == Level.ERROR and "apt install ros-jazzy-rmw-zenoh-cpp" in finding.remedy
    assert check_distribution({"ROS_DISTRO": "jazzy"}).text == "jazzy"


def test_a_file_of_settings_that_is_not_there() -> None:
    environment = {"CYCLONEDDS_URI": "file:///nowhere.xml", "FASTRTPS_DEFAULT_PROFILES_FILE": ""}
    (finding,) = check_profiles(environment)
    assert finding.level == Level.ERROR and "CYCLONEDDS_URI names /nowhere.xml" in finding.text
    assert list(check_profiles({"CYCLONEDDS_URI": "<CycloneDDS/>"})) == []
    assert list(check_profiles({"CYCLONEDDS_URI": "x.xml"}, lambda name: True)) == []
