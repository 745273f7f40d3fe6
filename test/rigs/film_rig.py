"""Films for tests: what ffprobe says of them, where ffmpeg is installed."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

needs_ffmpeg = pytest.mark.skipif(
    not (shutil.which("ffmpeg") and shutil.which("ffprobe")), reason="ffmpeg is not installed: apt install ffmpeg"
)


def probed(path: Path) -> dict[str, dict[str, Any]]:
    """What ffprobe says of each stream, pictures and samples counted, by the stream's kind."""
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return {stream["codec_type"]: stream for stream in json.loads(run.stdout)["streams"]}
