"""NXP's PCA9685 on an I2C bus object of CircuitPython's kind, written from the data sheet (rev. 4, section 7.3)."""

MODE1, FIRST_LED, LEDS, PRE_SCALE = 0x00, 0x06, 16, 0xFE
RESTART, AUTO_INCREMENT, SLEEP = 0x80, 0x20, 0x10
FULL = 0x1000
OSCILLATOR_HZ = 25e6


class I2cBus:
    """What `adafruit_bus_device` needs of a bus; at `address` is a PCA9685 while `plugged`."""

    def __init__(self, address: int = 0x40) -> None:
        self.address, self.plugged, self.closed = address, True, False
        self.writes = 0
        self._locked = False
        self.power_up()

    def power_up(self) -> None:
        """All registers as after power is applied: asleep, 200 Hz, every output fully off."""
        self.registers = {MODE1: 0x11, PRE_SCALE: 0x1E}
        self.registers |= {FIRST_LED + k: 0x10 if k % 4 == 3 else 0 for k in range(4 * LEDS)}

    def pulse_us(self, channel: int) -> float | None:
        """Length of the pulses on a channel; None while there are none."""
        at = FIRST_LED + 4 * channel
        on, off = (self.registers[at + k] | self.registers[at + k + 1] << 8 for k in (0, 2))
        if off & FULL or self.registers[MODE1] & SLEEP:
            return None
        assert not on & FULL and off > on, "an output that is always on burns a servo"
        return (off - on) / 4096 / self.rate_hz * 1e6

    @property
    def rate_hz(self) -> float:
        """Pulses a second (data sheet, equation 1 solved for the rate)."""
        return OSCILLATOR_HZ / 4096 / (self.registers[PRE_SCALE] + 1)

    def try_lock(self) -> bool:
        assert not self._locked
        self._locked = True
        return True

    def unlock(self) -> None:
        self._locked = False

    def deinit(self) -> None:
        self.closed = True

    def writeto(self, address: int, buffer: bytes, *, start: int = 0, end: int | None = None) -> None:
        self._reach(address)
        data = bytes(buffer[start:end])
        if data:
            self._write(data[0], data[1:])
            self.writes += 1

    def readfrom_into(self, address: int, buffer: bytearray, *, start: int = 0, end: int | None = None) -> None:
        self._reach(address)

    def writeto_then_readfrom(
        self,
        address: int,
        out_buffer: bytes,
        in_buffer: bytearray,
        *,
        out_start: int = 0,
        out_end: int | None = None,
        in_start: int = 0,
        in_end: int | None = None,
    ) -> None:
        self._reach(address)
        (register,) = bytes(out_buffer[out_start:out_end])
        for k in range(in_start, len(in_buffer) if in_end is None else in_end):
            in_buffer[k] = self.registers[register + k - in_start]

    def _reach(self, address: int) -> None:
        assert self._locked and not self.closed
        if not self.plugged or address != self.address:
            raise OSError(121, "Remote I/O error")

    def _write(self, register: int, values: bytes) -> None:
        assert len(values) == 1 or self.registers[MODE1] & AUTO_INCREMENT, "the register does not advance by itself"
        for at, value in enumerate(values, register):
            assert at in self.registers, f"register {at:#x}"
            if at == PRE_SCALE:
                assert self.registers[MODE1] & SLEEP, "PRE_SCALE can only be set while the chip sleeps"
                assert value >= 3
            if at == MODE1 and value & RESTART:
                value &= ~RESTART  # writing 1 clears it
            if FIRST_LED <= at < FIRST_LED + 4 * LEDS and (at - FIRST_LED) % 2:
                assert value & ~0x1F == 0, "bits 5 to 7 are reserved"
            self.registers[at] = value
