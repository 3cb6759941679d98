"""Sites with their devices in a JSON file: an adapter pair as there are many for the Python package `diffsync`."""

import json
import os

from diffsync import Adapter, DiffSyncModel
from diffsync.exceptions import ObjectNotDeleted


class Site(DiffSyncModel):
    _modelname = "site"
    _identifiers = ("name",)
    _attributes = ("city",)
    _children = {"device": "devices"}
    name: str
    city: str
    devices: list = []


class Device(DiffSyncModel):
    _modelname = "device"
    _identifiers = ("name",)
    _attributes = ("role",)
    name: str
    role: str


class SitesFile(Adapter):
    """The file: `{"ams": {"city": "Amsterdam", "devices": {"sw1": "leaf"}}}`."""

    site = Site
    device = Device
    top_level = ["site"]

    def __init__(self, path):
        super().__init__()
        self.path = path

    def load(self):
        """Read the file."""
        sites = {}
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as file:
                sites = json.load(file)
        for name, fields in sites.items():
            site = self.site(name=name, city=fields["city"])
            self.add(site)
            for device, role in fields["devices"].items():
                device = self.device(name=device, role=role)
                self.add(device)
                site.add_child(device)


class WrittenDevice(Device):
    def delete(self):
        if self.role == "core":
            raise ObjectNotDeleted(f"{self.name} is a core device")
        return super().delete()


class WrittenFile(SitesFile):
    """The same file, which can be written."""

    device = WrittenDevice

    def sync_complete(self, source, diff, flags=None, logger=None):
        """Write the file, once all records are as they should be."""
        devices = lambda site: {name: self.get("device", name).role for name in sorted(site.devices)}
        sites = {site.name: {"city": site.city, "devices": devices(site)} for site in self.get_all("site")}
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(sites, file, indent=1, sort_keys=True)
