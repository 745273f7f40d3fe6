"""Where frames go: files, engines, recorders. One small file for each kind, behind one protocol.

`parse_sink` makes a sink from a text such as ``csv:face.csv`` or ``livelink:127.0.0.1:11111``; `FanOut` feeds several.
"""

from dtalker_model.sinks.fan_out import FanOut
from dtalker_model.sinks.protocol import Sink, SinkFrame, StreamInfo
from dtalker_model.sinks.registry import KINDS, parse_sink, parse_sinks, sink_help

__all__ = ["KINDS", "FanOut", "Sink", "SinkFrame", "StreamInfo", "parse_sink", "parse_sinks", "sink_help"]
