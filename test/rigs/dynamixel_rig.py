"""Dynamixel servos of the X series behind Protocol 2.0, written from ROBOTIS' e-Manual (its chapter "Protocol 2.0").

Nothing is shared with the SDK: header, length, byte stuffing and CRC are checked here, and whatever deviates raises.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

HEADER = bytes([0xFF, 0xFF, 0xFD, 0x00])
PING, READ, WRITE, STATUS, SYNC_WRITE = 0x01, 0x02, 0x03, 0x55, 0x83
BROADCAST = 0xFE
XL430, FIRMWARE = 1060, 45
OPERATING_MODE, TORQUE_ENABLE, HARDWARE_ERROR = (11, 1), (64, 1), (70, 1)
GOAL_POSITION, PRESENT_POSITION = (116, 4), (132, 4)
"""Address and size in the control table of the X series."""
RAM = 64
"""First address that may be written while torque is on."""


def crc16(data: bytes) -> int:
    """CRC-16 of Protocol 2.0: polynomial 0x8005, nothing reflected, begins at 0 (e-Manual, "CRC calculation")."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x8005 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def stuffed(body: bytes) -> bytes:
    """Instruction and parameters with 0xFD put in behind each FF FF FD (e-Manual, "Byte stuffing")."""
    return body.replace(b"\xff\xff\xfd", b"\xff\xff\xfd\xfd")


def packet(number: int, body: bytes) -> bytes:
    """The whole packet with instruction and parameters `body` for or from servo `number`."""
    inside = stuffed(body)
    head = HEADER + bytes([number]) + (len(inside) + 2).to_bytes(2, "little") + inside
    return head + crc16(head).to_bytes(2, "little")


@dataclass
class XServo:
    """One servo: its control table, where untouched addresses are 0."""

    number: int
    table: bytearray = field(default_factory=lambda: bytearray(147))

    def __post_init__(self) -> None:
        self.set(OPERATING_MODE, 3)

    def get(self, item: tuple[int, int]) -> int:
        """Value of an item of the table; goal and present position are signed."""
        address, size = item
        return int.from_bytes(self.table[address : address + size], "little", signed=size == 4)

    def set(self, item: tuple[int, int], value: int) -> None:
        """Change an item of the table from inside."""
        address, size = item
        self.table[address : address + size] = value.to_bytes(size, "little", signed=size == 4)


class XBus:
    """The bus: give it every byte that comes, send back what it answers."""

    def __init__(self, *numbers: int) -> None:
        self.servos = {number: XServo(number) for number in numbers}
        self.packets: list[tuple[int, bytes]] = []
        """Number of the servo addressed, and instruction with parameters, of every packet that came."""
        self._bytes = b""

    def take(self, data: bytes) -> bytes:
        """What the servos answer; raises `AssertionError` where a byte is against the protocol."""
        self._bytes += data
        return b"".join(self._answer(number, body) for number, body in self._whole())

    def _whole(self) -> Iterator[tuple[int, bytes]]:
        while len(self._bytes) >= 7:
            assert self._bytes[:4] == HEADER, f"no header: {self._bytes.hex(' ')}"
            length = 7 + int.from_bytes(self._bytes[5:7], "little")
            if len(self._bytes) < length:
                return
            whole, self._bytes = self._bytes[:length], self._bytes[length:]
            assert crc16(whole[:-2]) == int.from_bytes(whole[-2:], "little"), f"CRC: {whole.hex(' ')}"
            body = whole[7:-2].replace(b"\xff\xff\xfd\xfd", b"\xff\xff\xfd")
            assert stuffed(body) == whole[7:-2], f"stuffing: {whole.hex(' ')}"
            self.packets.append((whole[4], body))
            yield whole[4], body

    def _answer(self, number: int, body: bytes) -> bytes:
        if body[0] == SYNC_WRITE:
            assert number == BROADCAST
            self._sync_write(body[1:])
        elif number in self.servos:
            return packet(number, bytes([STATUS]) + self._status(self.servos[number], body))
        return b""

    def _status(self, servo: XServo, body: bytes) -> bytes:
        """Error byte and parameters of the status packet."""
        if body[0] == PING:
            assert len(body) == 1
            return b"\0" + XL430.to_bytes(2, "little") + bytes([FIRMWARE])
        address = int.from_bytes(body[1:3], "little")
        if body[0] == READ:
            size = int.from_bytes(body[3:5], "little")
            return b"\0" + bytes(servo.table[address : address + size])
        assert body[0] == WRITE, f"instruction {body[0]:#x}"
        self._write(servo, address, body[3:])
        return b"\0"

    def _sync_write(self, parameters: bytes) -> None:
        address, size = (int.from_bytes(parameters[k : k + 2], "little") for k in (0, 2))
        entries = parameters[4:]
        assert size and entries and len(entries) % (1 + size) == 0, f"sync write of {parameters.hex(' ')}"
        numbers = entries[:: 1 + size]
        assert len(set(numbers)) == len(numbers) and max(numbers) <= 252
        for at in range(0, len(entries), 1 + size):
            if entries[at] in self.servos:
                self._write(self.servos[entries[at]], address, entries[at + 1 : at + 1 + size])

    def _write(self, servo: XServo, address: int, data: bytes) -> None:
        assert (address, len(data)) in (TORQUE_ENABLE, GOAL_POSITION), f"{len(data)} bytes to {address}"
        assert address >= RAM
        if (address, len(data)) == TORQUE_ENABLE:
            assert data in (b"\0", b"\1")
        else:
            turns = servo.get(OPERATING_MODE) == 4
            low, high = (-1_048_575, 1_048_575) if turns else (0, 4095)
            assert low <= int.from_bytes(data, "little", signed=True) <= high
        servo.table[address : address + len(data)] = data
