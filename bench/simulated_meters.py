"""200 simulated meters, each read once a second, from one process on one core: are all answers there in time?

    scripts/bench meters [--meters 200] [--seconds 60]

The meters have the first core for themselves, the masters of this process another where there is one. Each meter is
read with three requests at the full second, as an agent does: all meters at once.
"""

import argparse
import asyncio
import json
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

_LEANMETER = Path(sys.executable).parent / "leanmeter"
_BLOCKS = ((0, 30), (42, 34), (200, 26))
"""What an agent asks of an SDM630: address and count."""

_IN_TIME_S = 1.0
_START_S = 60.0


class _Master:
    """One connection to one meter."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.delays_s: list[float] = []
        self.late = 0

    async def poll(self) -> None:
        """All requests, one after the other; what is not there within a second is late."""
        for number, (address, count) in enumerate(_BLOCKS):
            began_s = time.monotonic()
            self._writer.write(struct.pack(">HHHBBHH", number, 0, 6, 1, 4, address, count))
            try:
                async with asyncio.timeout(_IN_TIME_S):
                    header = await self._reader.readexactly(9)
                    if header[7] != 4:
                        raise SystemExit(f"a meter refused {count} registers from {address}: exception {header[8]}")
                    await self._reader.readexactly(header[8])
            except TimeoutError:
                self.late += 1
                return
            self.delays_s.append(time.monotonic() - began_s)


async def _poll_all(masters: list[_Master], seconds: int) -> None:
    start_s = float(int(time.time()) + 1)
    for number in range(seconds):
        await asyncio.sleep(max(0.0, start_s + number - time.time()))
        await asyncio.gather(*(master.poll() for master in masters))


async def _measure(port: int, meters: int, seconds: int) -> list[_Master]:
    connections = [await asyncio.open_connection("127.0.0.1", port + index) for index in range(meters)]
    masters = [_Master(reader, writer) for reader, writer in connections]
    await _poll_all(masters, 2)
    for master in masters:
        master.delays_s.clear()
        master.late = 0
    await _poll_all(masters, seconds)
    for _, writer in connections:
        writer.close()
    return masters


def _cpu_s(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measure and print one JSON object; exit code 1 when an answer was late."""
    parser = argparse.ArgumentParser(prog="scripts/bench meters", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--meters", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--port", type=int, default=25_000, help="the first of as many free ports as meters")
    arguments = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, set(cores[1:]))
    command: list[str | Path] = [
        _LEANMETER, "simulate", "device", "eastron/sdm630", "--count", str(arguments.meters), "--own-ports",
        "--tcp", f":{arguments.port}",
    ]  # fmt: skip
    process = subprocess.Popen(  # our own program
        command,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, {cores[0]}),  # noqa: PLW1509  # no threads yet
    )
    try:
        assert process.stdout is not None  # for mypy
        process.stdout.readline()
        before_s, began_s = _cpu_s(process.pid), time.monotonic()
        masters = asyncio.run(_measure(arguments.port, arguments.meters, arguments.seconds))
        cpu_s, took_s = _cpu_s(process.pid) - before_s, time.monotonic() - began_s
    finally:
        process.terminate()
        process.wait(_START_S)
    delays_ms = sorted(1000 * delay_s for master in masters for delay_s in master.delays_s)
    late = sum(master.late for master in masters)
    facts = {
        "meters": arguments.meters,
        "answers": len(delays_ms),
        "late": late,
        "median_ms": round(delays_ms[len(delays_ms) // 2], 1),
        "p99_ms": round(delays_ms[len(delays_ms) * 99 // 100], 1),
        "longest_ms": round(delays_ms[-1], 1),
        "cpu_share_of_a_core": round(cpu_s / took_s, 3),
    }
    sys.stdout.write(json.dumps(facts) + "\n")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
