"""The YAML of a head: what is read of it, and the one error that names file, joint, key and what is expected."""

from pathlib import Path

import pytest
from checkout import ROOT

from dtalker_model.errors import SettingError
from dtalker_ros.joints.head import HeatModel, Limits, Rule
from dtalker_ros.joints.head_file import parse_head, read_head

pytest.importorskip("yaml", reason="needs pyyaml")

LIMITS = "limits: {velocity: 5, acceleration: 80.0, jerk: 2e3}"
JAW = f"jaw:\n    weights: {{jawOpen: 0.5}}\n    range: [0, 0.4]\n    {LIMITS}\n"
HEAD = f"joints:\n  {JAW}"


@pytest.mark.parametrize("path", sorted(ROOT.glob("launch/heads/*.yaml")), ids=lambda path: path.name)
def test_shipped_heads_are_read(path: Path) -> None:
    assert read_head(path).joints


def test_what_is_left_out_has_its_default() -> None:
    (jaw,) = parse_head(HEAD, "head.yaml").joints
    assert (jaw.name, jaw.weights, jaw.minimum, jaw.maximum) == ("jaw", {"jawOpen": 0.5}, 0.0, 0.4)
    assert jaw.limits == Limits(5.0, 80.0, 2000.0)
    assert (jaw.curve, jaw.invert, jaw.neutral, jaw.dead_band, jaw.lead_s) == ((), False, 0.0, 0.0, 0.0)
    assert (jaw.release_after_s, jaw.heat, jaw.unit, jaw.servo) == (2.0, None, "rad", {})


def test_every_key_is_read() -> None:
    head = read_head(ROOT / "launch" / "heads" / "jaw.yaml")
    jaw, _, neck = head.joints
    assert jaw.curve == ((0.0, 0.0), (0.1, 0.13), (0.45, 0.4))
    assert jaw.heat == HeatModel() and neck.release_after_s is None
    assert (jaw.dead_band, jaw.lead_s) == (0.004, 0.06)
    assert head.rules == (Rule("lower lip against the chin of the open jaw", {"jaw": 1.0, "lower_lip": 1.0}, 0.55),)
    matrix, bounds = head.rule_matrix()
    assert matrix.tolist() == [[1.0, 1.0, 0.0]] and bounds.tolist() == [0.55]


def test_the_drivers_own_keys_are_left_to_the_driver() -> None:
    (jaw,) = parse_head(f"{HEAD}    servo: {{id: 3, trim: [1, 2]}}\n", "head.yaml").joints
    assert jaw.servo == {"id": 3, "trim": [1, 2]}


RULE = "rules: [{name: r, sum: {jaw: 1.0}, at_most: 0.2}]\n"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "head.yaml: expected keys and values, received None"),
        ("joints: {}", "head.yaml: joints: names no joint"),
        ("joints: [", "head.yaml: no YAML:"),
        (f"{HEAD}  {JAW}", "head.yaml: line 2: jaw stands there twice"),
        (f"{HEAD}    dead_bnd: 0.1", "head.yaml: joint jaw: unknown key 'dead_bnd' (did you mean dead_band?)"),
        (f"{HEAD}motto: x", "head.yaml: unknown key 'motto'; known: joints, "),
        (HEAD.replace("weights", "weigths"), "joint jaw: weights is missing (is weigths meant for it?)"),
        (HEAD.replace("jawOpen", "jawOpn"), "joint jaw: weights: no blendshape and no part of a pose: 'jawOpn' (did"),
        (HEAD.replace("0.5", "lots"), "joint jaw: weights: jawOpen: expected a number, received 'lots'"),
        (HEAD.replace("0.5", ".nan"), "joint jaw: weights: jawOpen: expected a number, received nan"),
        (HEAD.replace("0.5", "0"), "joint jaw: weights: expected at least one weight that is not 0"),
        (
            HEAD.replace("[0, 0.4]", "[0.4, 0]"),
            "range: expected [lowest, highest] position, rad, received [0.4, 0]",
        ),
        (HEAD.replace("[0, 0.4]", "[0.1, 0.4]"), "joint jaw: neutral: is missing, and 0 lies outside of the range"),
        (HEAD.replace("[0, 0.4]", "3"), "joint jaw: range: expected a list, received 3"),
        (HEAD.replace("2e3", "0"), "joint jaw: limits: jerk: expected a number above 0 rad/s3, received 0"),
        (HEAD.replace(", jerk: 2e3", ""), "joint jaw: limits: jerk is missing"),
        (f"{HEAD}    neutral: 1", "joint jaw: neutral: expected a number from 0 to 0.4 rad, received 1"),
        (f"{HEAD}    curve: [[0, 0]]", "joint jaw: curve: expected two or more points"),
        (f"{HEAD}    curve: [[0, 0], [0, 1]]", "joint jaw: curve: expected two or more points"),
        (f"{HEAD}    curve: [[0, 0], 1]", "joint jaw: curve: expected two or more points"),
        (f"{HEAD}    curve: [[0, 0], [1, x]]", "joint jaw: curve: expected a number, received 'x'"),
        (f"{HEAD}    invert: 1", "joint jaw: invert: expected true or false, received 1"),
        (f"{HEAD}    unit: deg", "joint jaw: unit: received 'deg'; known: rad, m"),
        (f"{HEAD}    lead_s: -1", "joint jaw: lead_s: expected a number from 0 to 2 s, received -1"),
        (f"{HEAD}    dead_band: 1", "joint jaw: dead_band: expected a number from 0 to 0.2 rad, received 1"),
        (
            f"{HEAD}    release_after_s: no",
            "expected a number from 0.5 to 3600 s, received False; or never",
        ),
        (f"{HEAD}    heat: {{warn: 2}}", "joint jaw: heat: warn: expected a number from 0.1 to 0.99, received 2"),
        (f"{HEAD}    heat: {{worn: 2}}", "joint jaw: heat: unknown key 'worn' (did you mean warn?)"),
        (f"{HEAD}    servo: 3", "joint jaw: servo: expected keys and values, received 3"),
        (f"{HEAD}rules: {{}}", "head.yaml: rules: expected a list"),
        (HEAD + RULE.replace("name: r", "nam: r"), "head.yaml: rule 1: name is missing (is nam meant for it?)"),
        (HEAD + RULE.replace("jaw", "jew"), "rule 'r': sum: no joint of this head: 'jew' (did you mean jaw?)"),
        (HEAD + RULE.replace("1.0", "0"), "rule 'r': sum: expected a factor for at least one joint"),
        (HEAD + RULE.replace("1.0", "1.0e-200"), "rule 'r': sum: expected a factor for at least one joint"),
        (HEAD + RULE.replace("0.2", "-0.1"), "rule 'r': at_most: the neutral positions break it: their sum is 0"),
        (HEAD + RULE.replace("0.2", "much"), "rule 'r': at_most: expected a number, received 'much'"),
        (HEAD.replace("0.5", "1" + 400 * "0"), "weights: jawOpen: expected a number up to 1e+09 either way"),
        (HEAD.replace("0.5", "-1.0e300"), "weights: jawOpen: expected a number up to 1e+09 either way"),
        (HEAD.replace("0.5", ".inf"), "weights: jawOpen: expected a number up to 1e+09 either way"),
        (HEAD.replace("0.5", 5000 * "1"), "head.yaml: no YAML: "),
        (HEAD.replace("0.5", "2024-13-45"), "head.yaml: no YAML: month must be in 1..12"),
        (2000 * "[", "head.yaml: no YAML: maximum recursion depth"),
        ("joints: !!map jaw", "head.yaml: no YAML: "),
        (f"soft_velocity: 0\n{HEAD}", "head.yaml: soft_velocity: expected a number from 0.01 to 1, received 0"),
    ],
)
def test_what_is_wrong_is_said(text: str, error: str) -> None:
    with pytest.raises(SettingError) as raised:
        parse_head(text, "head.yaml")
    assert error in str(raised.value)
    assert "\n" not in str(raised.value)


def test_no_file() -> None:
    with pytest.raises(SettingError, match="head: names no file"):
        read_head(Path(""))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"head: cannot read .*none\.yaml"):
        read_head(tmp_path / "none.yaml")
