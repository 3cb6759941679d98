"""How long Nautobot SSoT's own loader takes for a remote Nautobot: `peer.py URL TOKEN`, within a set-up Nautobot."""
import logging
import sys
import time
import types

import nautobot

nautobot.setup()

from nautobot_ssot.jobs.examples import NautobotRemote  # noqa: E402

started = time.monotonic()
remote = NautobotRemote(url=sys.argv[1], token=sys.argv[2], job=types.SimpleNamespace(logger=logging.getLogger()))
for part in ("statuses", "location_types", "locations", "roles", "tenants", "namespaces", "prefixes", "ipaddresses",
             "manufacturers", "device_types", "platforms", "devices"):
    before, held = time.monotonic(), remote.count()
    getattr(remote, f"load_{part}")()
    print(f"  {part:<15} {remote.count() - held:6d} records  {time.monotonic() - before:7.2f} s")
print(f"  {'all':<15} {remote.count():6d} records  {time.monotonic() - started:7.2f} s")
