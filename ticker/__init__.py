"""Ticker: asks markets for prices, decides what the price is, and shows it.

As widgets on other people's pages, as a websocket feed, as plain JSON. `ticker.app` puts it together.
"""

__version__ = "0.1.0"
