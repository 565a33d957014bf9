"""How a connection of one's own ends; its gateway's stream raises these."""

from app.domain.messages import SendError


class StreamBroken(ConnectionError):
    """The other side closed the connection, is silent, or cannot be reached; the text says which."""


class StreamRefused(StreamBroken):
    """The other side does not let us in: trying again changes nothing before the settings do."""

    def __init__(self, error: SendError) -> None:
        super().__init__(f"{error.detail} ({error.code})")
        self.error = error
