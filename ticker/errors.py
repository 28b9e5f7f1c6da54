"""Every error this project raises on purpose.

    TickerError
    ├── ConfigError          the configuration can't be used; says file, key and the nearest known one
    ├── SourceError          one venue's answer can't be used; the others go on
    │   ├── Unreachable      no connection, no answer in time, or one that broke off
    │   ├── RateLimited      429, 418 or a local budget; may know when to come back
    │   ├── Refused          the venue will not serve us (403, 451, other 4xx)
    │   ├── UnknownSymbol    the venue doesn't know one of the symbols asked for
    │   └── BadAnswer        HTML, broken JSON, a field missing or of another type, a body too large
    ├── HistoryError         the history file can't be read or written; says which and what to do
    ├── RequestError         a client asked for something we don't have; carries a code and an HTTP status
    └── FeedError            the feed client gave up: the server said not to come back

`viewer` is the sentence a reader of a widget or of the API may see: never an address, a key or a trace.
"""

from __future__ import annotations


class TickerError(Exception):
    """Base of the tree."""

    @property
    def viewer(self) -> str:
        return "Something went wrong on our side."


class ConfigError(TickerError):
    """A setting can't be used. `str()` is one line: file, key, what is wrong, what to write instead."""

    def __init__(self, message: str, *, file: str | None = None, key: str | None = None) -> None:
        where = ": ".join(part for part in (file, key) if part)
        super().__init__(f"{where}: {message}" if where else message)
        self.message = message
        self.file = file
        self.key = key

    def placed(self, file: str) -> ConfigError:
        """The same error, once it is known which file it is in."""
        return ConfigError(self.message, file=file, key=self.key)


class SourceError(TickerError):
    """One request to one venue failed. `health` is the short word its health shows."""

    health = "failing"

    @property
    def viewer(self) -> str:
        return "A price source is not answering."


class Unreachable(SourceError):
    health = "unreachable"


class RateLimited(SourceError):
    """The venue, or our own budget for it, says wait. `retry_after` is in seconds, None when not said."""

    health = "rate limited"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Refused(SourceError):
    health = "refused"


class UnknownSymbol(SourceError):
    """The venue doesn't know a symbol of the batch; it need not say which one."""

    health = "unknown symbol"


class BadAnswer(SourceError):
    health = "bad answer"


class HistoryError(TickerError):
    @property
    def viewer(self) -> str:
        return "Price history is not available."


class RequestError(TickerError):
    """A request that can't be answered.

    `code` is a documented error code; `status` and `headers` (by name, `_` for `-`) are HTTP's.
    """

    def __init__(self, code: str, message: str, *, status: int = 400, **headers: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.headers = headers

    @property
    def viewer(self) -> str:
        return str(self)


class FeedError(TickerError):
    """The feed refused the client for good: coming back unchanged won't help. `code`: the close code."""

    def __init__(self, message: str, *, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code
