"""Nothing phones home: libraries that report to their makers are told not to, before they are imported."""

import os
from typing import Any

OFF = ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY")
"""Variables that switch reports off where they are 1. Those of onnxruntime, from 1.31 on, cannot be stopped later: its
import alone writes into ``~/.cache`` and looks a host up; `onnxruntime.disable_telemetry_events` changes nothing."""


def forbid_telemetry() -> None:
    """Switch the reports off for this process and those that it starts."""
    for name in OFF:
        os.environ[name] = "1"


def onnxruntime_module() -> Any:
    """onnxruntime, imported without its reports; everything of ours imports it here."""
    forbid_telemetry()
    import onnxruntime  # a fifth of a second: only those who load a model pay for it

    return onnxruntime
