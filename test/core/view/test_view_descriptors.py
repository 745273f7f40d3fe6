"""A page's server with few descriptors, and strangers who hold more connections than that."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT

pytest.importorskip("aiohttp", reason="needs the extra [view] (aiohttp)")
WAIT_S = 60.0


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors of POSIX")
def test_more_connections_than_descriptors_leave_a_page_that_is_served_and_a_short_log(tmp_path: Path) -> None:
    """Seen with a limit of 1,024 and before there was a door: 252 MB of log in 75 s."""
    log = tmp_path / "log"
    command = f"ulimit -n 256; exec '{sys.executable}' -m dtalker_model.cli view --no-open --port 0 2>'{log}'"
    with subprocess.Popen(["bash", "-c", command], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(re.findall(r":(\d+)/", process.stdout.readline())[0])
            held = []
            for _ in range(400):
                connection = socket.create_connection(("127.0.0.1", port), WAIT_S)
                connection.sendall(b"GET / HTTP/1.1\r\nHost: loc")
                held.append(connection)
            with socket.create_connection(("127.0.0.1", port), WAIT_S) as viewer:
                viewer.settimeout(WAIT_S)
                viewer.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
                assert viewer.recv(15) == b"HTTP/1.1 200 OK"
            process.send_signal(2)
            process.wait(WAIT_S)
            for connection in held:
                connection.close()
        finally:
            process.kill()
    lines = log.read_text().splitlines()
    assert 0 < len(lines) < 40
    assert all(
        re.match("dtalker: (more than 92 connections: the oldest was closed|interrupted)", line) for line in lines
    )
