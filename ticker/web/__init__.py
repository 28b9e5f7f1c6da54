"""The HTTP edge: JSON, the feed's address, health. Everything it serves it is handed; it decides nothing."""

from ticker.web.app import Options, application, serving

__all__ = ["Options", "application", "serving"]
