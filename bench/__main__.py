"""Runs every benchmark, one after the other: `make bench`."""

from __future__ import annotations

from bench import assets, decode, feed, startup, widgets

if __name__ == "__main__":
    for bench in (startup, decode, feed, widgets, assets):
        print(f"\n{(bench.__doc__ or '').splitlines()[0]}\n")
        bench.main()
