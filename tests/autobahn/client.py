"""Starts Autobahn's fuzzing client on a specification (JSON); Python 2.7 runs this, where its suite lives.

A server with `"deflate": true` is offered permessage-deflate in every case, which a specification can't say.
"""

# ruff: noqa: I001, PTH123  # the reactor must be chosen first, and Python 2.7 has no pathlib

import json
import sys

from autobahntestsuite import choosereactor  # noqa: F401
from autobahn.websocket import compress
from autobahntestsuite import fuzzing
from twisted.internet import reactor


def accept(response):
    return compress.PerMessageDeflateResponseAccept(response)


def main():
    with open(sys.argv[1]) as file:
        spec = json.load(file)
    for server in spec["servers"]:
        if server.pop("deflate", False):
            server["options"] = {
                "perMessageCompressionOffers": [compress.PerMessageDeflateOffer()],
                "perMessageCompressionAccept": accept,
            }
    fuzzing.startClient(spec)
    reactor.run()


main()
