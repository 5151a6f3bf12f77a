"""Serve a folder of repositories as a Hub on 127.0.0.1: `python loopback_hub.py ROOT`.

Prints the URL on its first line and exits when its standard input closes, so that it never
outlives the process that started it. `--page N` sets the number of repositories on a page of a
listing; `--faults FILE` is a JSON list of faults (fields of recycling.miniature.faults.Fault).
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path

from recycling.miniature.faults import Fault
from recycling.miniature.loopback import Hub, address, start


async def serve(hub: Hub) -> None:
    """Serve until standard input closes."""
    runner = await start(hub)
    print(address(runner), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--page", type=int, default=1000)
    parser.add_argument("--faults", type=Path)
    args = parser.parse_args()
    hub = Hub(args.root, args.page)
    if args.faults:
        hub.faults = [Fault(**fault) for fault in json.loads(args.faults.read_text())]
    asyncio.run(serve(hub))


if __name__ == "__main__":
    main()
