"""The feed: every change of the book, to everyone who subscribed, over websockets.

`Feed` is the door. It knows sockets through asyncio and RFC 6455 through `websockets`' Sans-I/O protocol;
it knows no HTTP server.
"""

from ticker.feed.delivery import Feed
from ticker.feed.limits import Limits

__all__ = ["Feed", "Limits"]
