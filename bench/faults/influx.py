"""An InfluxDB that is killed and started again while batches come."""

import random
import time
from pathlib import Path

from bench.faults.line import line
from bench.faults.registry import NotHereError, Outcome, Size, fault
from tests.servers.influxdb import InfluxDBProcess
from tests.servers.missing import find_program

LONGEST_LIFE_S = 2.0
SHARE = 5
"""It takes seconds to start: so much less often than other faults."""


@fault("kill -9 of InfluxDB")
def kill_influxdb(size: Size, folder: Path) -> Outcome:
    """The store itself, with writes under way."""
    program = find_program("influxd")
    if program is None:
        raise NotHereError("influxd is not installed (scripts/build-influxd)")
    (folder / "influx").mkdir(parents=True)
    server = InfluxDBProcess(program, folder / "influx")
    try:
        server.start()
        server.create_bucket("bench")
        store = {"influx": {"url": server.url, "token": server.token, "org": server.org, "bucket": "bench"}}
        with line(folder, size, store=store) as made:
            chance = random.Random(3)
            times = max(2, size.faults // SHARE)
            for _ in range(times):
                time.sleep(chance.uniform(0.0, LONGEST_LIFE_S))
                server.kill()
                server.start()
            made.finish()
            return made.outcome(times)
    finally:
        server.kill()
