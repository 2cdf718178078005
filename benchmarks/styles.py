"""The task in four styles: requests a second, beside the one that blocks.

    python3 workshop.py bench styles [--rounds N]

Each style runs as a program of its own, and so does the backend, which takes 50 ms for each
answer. One visitor after another comes, then fifty at once. In every round all styles are
measured in turn, so that a slow moment of the machine is a slow moment for all of them; what is
kept is the median of the ratios of a round. The table is printed, and written to
`benchmarks/results/styles.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import tornado
from tornado.httpclient import AsyncHTTPClient

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "styles.json"
STYLES = ("blocking", "callbacks", "coroutines", "greenlets")
BACKEND_DELAY = 0.05
# How many visitors are there at once, and how many come in all.
CROWDS = {1: 8, 50: 50}


@contextmanager
def program(module: str, *options: str) -> Iterator[str]:
    """Run a server as a program of its own, and give its address."""
    command = [sys.executable, "-m", f"stormy_demo.{module}", "--port=0", *options]
    with subprocess.Popen(
        [*command, "--logging=error"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().split()[2]
        finally:
            server.terminate()
            server.wait()


async def rate(url: str, at_once: int, in_all: int) -> float:
    """Return how many requests a second a server answers."""
    client = AsyncHTTPClient(force_instance=True, max_clients=at_once)
    start = time.perf_counter()
    visits = [client.fetch(f"{url}/resources/?user=person{n}") for n in range(in_all)]
    await asyncio.gather(*visits)
    seconds = time.perf_counter() - start
    client.close()
    return in_all / seconds


async def measure(rounds: int) -> list[dict[str, Any]]:
    """Measure all styles, and return a row for each style and crowd."""
    rates: dict[tuple[str, int], list[float]] = {}
    with ExitStack() as stack:
        backend = stack.enter_context(program("backend", f"--delay={BACKEND_DELAY}"))
        patience = ("--deadline=60", f"--backend={backend}")
        urls = {style: stack.enter_context(program(style, *patience)) for style in STYLES}
        for url in urls.values():
            await rate(url, 1, 1)
        for _ in range(rounds):
            for at_once, in_all in CROWDS.items():
                for style, url in urls.items():
                    measured = await rate(url, at_once, in_all)
                    rates.setdefault((style, at_once), []).append(measured)
    rows = []
    for (style, at_once), mine in rates.items():
        beside = rates["blocking", at_once]
        ratios = [one / other for one, other in zip(mine, beside, strict=True)]
        rows.append(
            {
                "style": style,
                "at_once": at_once,
                "rps": round(statistics.median(mine), 1),
                "ratio": round(statistics.median(ratios), 2),
                "lowest": round(min(ratios), 2),
                "highest": round(max(ratios), 2),
            }
        )
    return rows


def main() -> None:
    """Measure, print the table, and write it down."""
    parser = argparse.ArgumentParser(prog="workshop.py bench styles", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often all are measured")
    rounds = max(1, parser.parse_args().rounds)
    rows = asyncio.run(measure(rounds))
    print(f"{'style':12} {'at once':>8} {'requests/s':>11} {'× blocking':>11}  all within")
    for row in rows:
        print(
            f"{row['style']:12} {row['at_once']:8} {row['rps']:11.1f} {row['ratio']:11.2f}"
            f"  {row['lowest']:.2f} to {row['highest']:.2f}"
        )
    about = {
        "python": platform.python_version(),
        "tornado": tornado.version,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "backend_ms": BACKEND_DELAY * 1000,
        "rounds": rounds,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"about": about, "results": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
