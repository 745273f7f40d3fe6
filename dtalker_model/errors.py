"""The errors that dtalker raises for its callers. Each message says what was received and what to do."""


class DtalkerError(Exception):
    """Base of every error that dtalker raises on purpose."""


class AudioError(DtalkerError, ValueError):
    """Audio that cannot be used: wrong rate, type, shape, length, encoding or content."""


class ModelError(DtalkerError):
    """A model file that is missing, truncated, foreign, or does not fit its card."""


class SettingError(DtalkerError, ValueError):
    """A setting out of range, or a name that the model does not know."""


class VoiceError(DtalkerError):
    """The user's library of enrolled voices cannot be read: damaged, foreign, no permission, or held by another."""


class SinkError(DtalkerError, OSError):
    """A file or stream that cannot be written (full disk, no permission, wrong ending)."""
