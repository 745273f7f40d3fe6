"""A Pololu Maestro, written from its User's Guide, 5.e: Set Target and Set Multiple Targets, in both protocols."""

SET_TARGET, SET_MULTIPLE_TARGETS, POLOLU = 0x84, 0x9F, 0xAA


class Maestro:
    """Give it every byte that comes; `targets`: what its channels do, in quarter microseconds, 0 for no pulses."""

    def __init__(self, channels: int = 24, device: int = 12) -> None:
        """Only the Mini Maestros, of 12, 18 and 24 channels, know Set Multiple Targets."""
        self.targets = [0] * channels
        self.commands: list[bytes] = []
        self._device = device
        self._bytes = b""

    def take(self, data: bytes) -> bytes:
        """Nothing is answered; raises `AssertionError` where a byte is against the protocol."""
        self._bytes += data
        while self._bytes and (length := self._length()) <= len(self._bytes):
            command, self._bytes = self._bytes[:length], self._bytes[length:]
            self.commands.append(command)
            self._do(command)
        return b""

    def _length(self) -> int:
        """Of the command that comes, as far as it is known; 1 more than there is where it is not."""
        pololu = self._bytes[0] == POLOLU
        start = 2 if pololu else 0
        if len(self._bytes) < start + 2:
            assert self._bytes[0] & 0x80, f"a command begins with {self._bytes[0]:#x}"
            return len(self._bytes) + 1
        code = self._bytes[start] | 0x80
        assert pololu is not bool(self._bytes[start] & 0x80)
        assert code in (SET_TARGET, SET_MULTIPLE_TARGETS), f"command {code:#x}"
        return start + (4 if code == SET_TARGET else 3 + 2 * self._bytes[start + 1])

    def _do(self, command: bytes) -> None:
        assert not any(byte & 0x80 for byte in command[1:]), f"data bytes have bit 7 clear: {command.hex(' ')}"
        if command[0] == POLOLU:
            if command[1] != self._device:
                return
            command = bytes([command[2] | 0x80]) + command[3:]
        if command[0] == SET_TARGET:
            self._set(command[1], command[2:])
            return
        assert len(self.targets) >= 12, "a Micro Maestro knows no Set Multiple Targets"
        assert command[1] > 0
        self._set(command[2], command[3:])

    def _set(self, first: int, data: bytes) -> None:
        assert first + len(data) // 2 <= len(self.targets), f"no channel {first + len(data) // 2 - 1}"
        for k in range(len(data) // 2):
            self.targets[first + k] = data[2 * k] | data[2 * k + 1] << 7
