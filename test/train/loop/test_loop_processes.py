"""Two CPU processes under ``accelerate launch`` train what one process does with the same global batch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")
pytest.importorskip("accelerate", reason="accelerate is not installed: pip install '.[train]'")

from checkout import ROOT  # noqa: E402
from loop_rig import PLAN, Net, batch, interrupted_after, validate  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

from training.loop import loop  # noqa: E402
from training.loop.curves import read_log  # noqa: E402

RIG = ROOT / "test" / "rigs" / "loop_rig.py"
CLOSE = 1e-6


def launch(*arguments: Path) -> subprocess.CompletedProcess[str]:
    """Run the rig in two processes, on the CPU even where there is a GPU."""
    # `--multi_gpu` is accelerate's name for more than one process on whatever there is.
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes=2"]
    command += ["--num_machines=1", "--mixed_precision=no", "--dynamo_backend=no", "--main_process_port=0"]
    command += ["--num_cpu_threads_per_process=1", str(RIG), *map(str, arguments)]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": path}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of the same run: `alone`, begun alone and gone on with by `two`, and by two from its begin."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("alone", "begun", "two")}
    loop.train(Net(0.0), batch, validate, PLAN, folders["alone"])
    interrupted_after(8, folders["begun"], 0.0)
    result = launch(folders["begun"], folders["two"])
    assert result.returncode == 0, result.stdout + result.stderr
    assert all(f"Share(rank={rank}, of=2)" in result.stdout for rank in range(2)), result.stdout + result.stderr
    # The main process alone speaks of the run.
    assert result.stdout.count("ended after all 20 steps") == 2, result.stdout + result.stderr
    return folders


@pytest.mark.parametrize("name", ["begun", "two"])
@pytest.mark.parametrize("file", [loop.BEST, loop.LAST])
def test_two_processes_equal_one(runs: dict[str, Path], name: str, file: str) -> None:
    alone, together = load_file(runs["alone"] / file), load_file(runs[name] / file)
    assert alone.keys() == together.keys()
    assert max(float((alone[key] - together[key]).abs().max()) for key in alone) < CLOSE


def test_the_log_is_of_the_global_batch(runs: dict[str, Path]) -> None:
    alone, together = read_log(runs["alone"]), read_log(runs["two"])
    assert [row["step"] for row in together] == list(range(1, PLAN.steps + 1))
    for name in ("loss", "absolute", "learning_rate", "gradient_norm", "score"):
        of_two, of_one = ([row[name] for row in rows if name in row] for rows in (together, alone))
        assert of_two == pytest.approx(of_one, rel=1e-4)
