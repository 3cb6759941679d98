"""How long the Python package `diffsync` takes for the diff that `diff.rs` measures: the same tree, the same records.

    python -m venv env
    env/bin/pip install diffsync==2.2.3
    env/bin/python diffsync-core/benches/peer.py            # 10,000 and 100,000 interfaces on each side
    env/bin/python diffsync-core/benches/peer.py 1000000

Sites hold 20 devices and devices 48 interfaces. An interface has two identifiers (device, name) and four attributes
(description, enabled, mtu, mac). 1 % of the interfaces are changed, and on each side 0.5 % are missing. Both sides list
their records in the same order, or the target in a random one.

Loading, which is making the models and adding them to the two stores, is measured apart: the diff is `diff_from` alone,
with the package's log off and nothing else of it changed. Each diff is the best of three, since the others are
disturbed by whatever else the machine does; the garbage collector runs before each, and then as it always does.
"""

import gc
import platform
import random
import sys
import time
from importlib.metadata import version
from typing import List, Optional

import structlog
from diffsync import Adapter, DiffSyncModel

DEVICES_PER_SITE = 20
INTERFACES_PER_DEVICE = 48

# Without this the package would spend its time on writing what it does.
structlog.configure(processors=[], wrapper_class=structlog.make_filtering_bound_logger(50))


class Site(DiffSyncModel):
    _modelname = "site"
    _identifiers = ("name",)
    _attributes = ("region",)
    _children = {"device": "devices"}

    name: str
    region: str
    devices: List[str] = []


class Device(DiffSyncModel):
    _modelname = "device"
    _identifiers = ("name",)
    _attributes = ("site", "serial")
    _children = {"interface": "interfaces"}

    name: str
    site: str
    serial: str
    interfaces: List[str] = []


class Interface(DiffSyncModel):
    _modelname = "interface"
    _identifiers = ("device", "name")
    _attributes = ("description", "enabled", "mtu", "mac")

    device: str
    name: str
    description: str
    enabled: bool
    mtu: Optional[int]
    mac: str


class Network(Adapter):
    site = Site
    device = Device
    interface = Interface
    top_level = ["site"]


def records(count):
    """The sites, devices and interfaces of one side, as an adapter would read them."""
    device_count = -(-count // INTERFACES_PER_DEVICE)
    sites = [
        {"name": f"site-{site:05}", "region": f"region-{site % 7}"}
        for site in range(-(-device_count // DEVICES_PER_SITE))
    ]
    devices = [
        {"name": f"device-{device:06}", "site": f"site-{device // DEVICES_PER_SITE:05}", "serial": f"SN{device:010}"}
        for device in range(device_count)
    ]
    interfaces = []
    for interface in range(count):
        device, port = divmod(interface, INTERFACES_PER_DEVICE)
        interfaces.append(
            {
                "device": f"device-{device:06}",
                "name": f"Ethernet{port // 8}/{port % 8}",
                "description": f"to rack {device % 97} port {port}",
                "enabled": port % 5 != 0,
                "mtu": 9000 if port % 3 != 0 else None,
                "mac": f"02:00:{device >> 16:02x}:{device >> 8 & 255:02x}:{device & 255:02x}:{port:02x}",
            }
        )
    return sites, devices, interfaces


def sides(count, shuffled):
    """What the two systems hold."""
    chance = random.Random(1)
    sites, devices, interfaces = records(count)
    source = [row for row in interfaces if chance.randrange(200)]
    target = [row for row in interfaces if chance.randrange(200)]
    target = [row if chance.randrange(100) else {**row, "description": "changed"} for row in target]
    target_sites, target_devices = list(sites), list(devices)
    if shuffled:
        for rows in (target_sites, target_devices, target):
            chance.shuffle(rows)
    return (sites, devices, source), (target_sites, target_devices, target)


def load(sites, devices, interfaces):
    """Fills a store the way loaders do: each record is added, and attached to its parent."""
    network = Network()
    for row in sites:
        network.add(Site(**row))
    for row in devices:
        device = Device(**row)
        network.add(device)
        network.get("site", row["site"]).add_child(device)
    for row in interfaces:
        interface = Interface(**row)
        network.add(interface)
        network.get("device", row["device"]).add_child(interface)
    return network


def timed(work):
    gc.collect()
    begun = time.perf_counter()
    result = work()
    return result, time.perf_counter() - begun


def measure(count, shuffled):
    source_rows, target_rows = sides(count, shuffled)
    (source, target), loading = timed(lambda: (load(*source_rows), load(*target_rows)))
    best = float("inf")
    for _ in range(3):
        diff, seconds = timed(lambda: target.diff_from(source))
        best = min(best, seconds)
    summary = diff.summary()
    print(
        f"| {count:>10,} | {'shuffled' if shuffled else 'same':<8} | {loading:>12.2f} | {best:>10.3f} "
        f"| {best / count * 1e6:>9.1f} | {summary['create']:>6,} | {summary['update']:>6,} | {summary['delete']:>6,} |",
        flush=True,
    )


def main():
    counts = [int(text.replace("_", "").replace(",", "")) for text in sys.argv[1:]] or [10_000, 100_000]
    print(f"diffsync {version('diffsync')}, pydantic {version('pydantic')}, Python {platform.python_version()}")
    print()
    print("| interfaces | order    | load both, s | diff, s    | µs a pair | create | update | delete |")
    print("| ---------: | -------- | -----------: | ---------: | --------: | -----: | -----: | -----: |")
    for count in counts:
        for shuffled in (False, True):
            measure(count, shuffled)


if __name__ == "__main__":
    main()
