"""``python -m training fit-joints``: from a CSV to the YAML of a head."""

from pathlib import Path

import numpy as np
import pytest

from dtalker_model.blendshapes import ARKIT_NAMES
from training.__main__ import main

pytest.importorskip("scipy", reason="scipy is not installed")
yaml = pytest.importorskip("yaml", reason="pyyaml is not installed")

ROWS = 300


def table(**joints: np.ndarray) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(11)
    columns = {name: rng.random(ROWS) ** 3 for name in ARKIT_NAMES}
    noise = rng.normal(0, 0.003, (4, ROWS))
    return {
        "time_s": np.arange(ROWS) / 50,
        **columns,
        "jaw": 0.4 * columns["jawOpen"] + noise[0],
        "left lid": 0.2 - 0.5 * columns["eyeBlinkLeft"] + noise[1],
        "no": 0.01 * columns["mouthPucker"] + noise[2] / 20,
        **joints,
    }


def write(path: Path, columns: dict[str, np.ndarray]) -> Path:
    np.savetxt(path, np.column_stack(list(columns.values())), "%.5f", ",", header=",".join(columns), comments="")
    return path


def test_the_yaml_has_the_map_and_the_errors_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    poses = write(tmp_path / "poses.csv", table(belly=np.random.default_rng(1).random(ROWS)))
    assert main(["fit-joints", str(poses), "--out", str(tmp_path / "head.yaml"), "--metres", "no"]) == 0
    said = capsys.readouterr().out
    assert "jaw: 1 weights; error 0.0029 rad, of pairs not seen 0.00291 rad (0.7% of its range)" in said
    assert "belly: left out, the face explains" in said and "3 of 4 joints" in said
    joints = yaml.safe_load((tmp_path / "head.yaml").read_text())["joints"]
    assert list(joints) == ["jaw", "left lid", "no"]
    assert joints["jaw"]["weights"] == {"jawOpen": pytest.approx(0.4, abs=0.003)}
    assert joints["left lid"]["weights"] == {"eyeBlinkLeft": pytest.approx(0.5, abs=0.003)}
    assert joints["left lid"]["invert"] and joints["left lid"]["neutral"] == pytest.approx(0.2, abs=0.001)
    assert joints["no"]["unit"] == "m"
    assert joints["jaw"]["limits"]["velocity"] == pytest.approx(5 * np.ptp(joints["jaw"]["range"]), rel=1e-4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a header with blendshapes"),
        ("jawOpen,mouthClose\n1,2\n", "expected a header with blendshapes"),
        ("jaw,lip\n1,2\n", "expected a header with blendshapes"),
        ("jawOpen,jaw,jaw\n1,2,3\n", "each once, received jaw"),
        ("jawOpen,jaw\n1\n", "line 2: expected 2 values, received 1"),
        ("jawOpen,jaw\n1,2\nnan,1\n", "line 3: jawOpen: expected a number up to 1e+09, received 'nan'"),
        ("jawOpen,jaw\n1,1e300\n", "line 2: jaw: expected a number up to 1e+09, received '1e300'"),
        ("jawOpen,jaw\n1,open\n", "line 2: jaw: expected a number up to 1e+09, received 'open'"),
        ("jawOpen,jaw\n1,2\n", "joint jaw: expected at least 20 pairs, received 1"),
        ("jawOpen,jaw\n" + "0.5,2\n" * 30, "joint jaw: it never moves"),
    ],
)
def test_what_is_no_table_of_pairs_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    (tmp_path / "poses.csv").write_text(text)
    assert main(["fit-joints", str(tmp_path / "poses.csv"), "--out", str(tmp_path / "head.yaml")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "head.yaml").exists()


def test_unknown_joints_in_metres_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    poses = write(tmp_path / "poses.csv", table())
    assert main(["fit-joints", str(poses), "--out", str(tmp_path / "head.yaml"), "--metres", "lip"]) == 2
    assert "lip is no joint of" in capsys.readouterr().err
