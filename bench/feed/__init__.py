"""What a delivered frame costs: ours, a bare C loop and other servers, as ratios in one run.

`python -m bench.feed` compares; `many`, `sets`, `slow` and `drain` are further scenes, `install` fetches the
peers. It refuses figures without a floor: each run measures the bare loop beside the rest.
"""

from bench.feed.compare import main

__all__ = ["main"]
