"""Fills a Nautobot with an inventory through its ORM, the same in every run; what is there stays as it is.

Run by `servers fill`. `small` is about 1,000 records and 3,000 interfaces, `big` about 11,000 and 20,000. Rows go in with
`bulk_create`: without change log, webhooks and the interfaces that a device type would bring along.
"""
import argparse
import ipaddress

import nautobot

nautobot.setup()

from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.db import transaction  # noqa: E402
from nautobot.dcim.models import (  # noqa: E402
    Device, DeviceType, Interface, Location, LocationType, Manufacturer, Platform,
)
from nautobot.extras.models import CustomField, Role, Status, Tag  # noqa: E402
from nautobot.ipam.models import (  # noqa: E402
    IPAddress, IPAddressToInterface, Namespace, Prefix, VLAN, VLANGroup,
)
from nautobot.tenancy.models import Tenant  # noqa: E402

SCALES = {
    "tiny": dict(regions=1, countries=1, sites=4, tenants=2, devices=30, nets=2, ips=30),
    "small": dict(regions=2, countries=2, sites=8, tenants=8, devices=300, nets=8, ips=300),
    "big": dict(regions=4, countries=5, sites=12, tenants=20, devices=2000, nets=16, ips=4000),
}
PORTS = 8


def content_types(*models):
    return [ContentType.objects.get_for_model(model) for model in models]


def named(model, name, types=(), **values):
    """The record of this name, made if need be."""
    record, _ = model.objects.get_or_create(name=name, defaults=values)
    if types:
        record.content_types.add(*content_types(*types))
    return record


def missing(model, rows):
    """Creates the rows whose names are not there yet, and returns all of them."""
    have = {record.name: record for record in model.objects.all()}
    new = [model(**row) for row in rows if row["name"] not in have]
    model.objects.bulk_create(new, batch_size=1000)
    have.update((record.name, record) for record in new)
    return [have[row["name"]] for row in rows], new


@transaction.atomic
def populate(scale):
    active, planned, offline, reserved = (Status.objects.get(name=n) for n in ("Active", "Planned", "Offline", "Reserved"))

    region = named(LocationType, "Region", (Prefix, VLAN), nestable=True, description="Continent")
    country = named(LocationType, "Country", (Prefix, VLAN), parent=region)
    site = named(LocationType, "Site", (Device, Prefix, VLAN, VLANGroup), parent=country, description="A building")
    tenants = [named(Tenant, f"Tenant {i:02d}", description=f"Customer number {i}") for i in range(scale["tenants"])]
    roles = [
        named(Role, name, (Device,), color=f"{(i * 1118481) % 0xFFFFFF:06x}")
        for i, name in enumerate(
            ("access", "distribution", "core", "edge", "firewall", "console", "leaf", "spine", "oob", "wan"))
    ]
    tags = [
        named(Tag, name, (Device, Prefix, Location, IPAddress, Interface), color="9e9e9e")
        for name in ("pci", "lab", "managed", "legacy", "critical")
    ]
    external_id, _ = CustomField.objects.get_or_create(key="external_id", defaults=dict(label="External ID", type="text"))
    external_id.content_types.add(*content_types(Device, Prefix, Location))
    makers = {name: named(Manufacturer, name, description=f"{name} Inc.")
              for name in ("Cisco", "Juniper", "Arista", "Palo Alto", "Opengear")}
    platforms = {
        name: named(Platform, name, manufacturer=makers[maker], network_driver=driver, description=f"{name} software")
        for maker, name, driver in (
            ("Cisco", "Cisco IOS-XE", "cisco_xe"), ("Cisco", "Cisco NX-OS", "cisco_nxos"),
            ("Juniper", "Juniper Junos", "juniper_junos"), ("Arista", "Arista EOS", "arista_eos"),
            ("Palo Alto", "PAN-OS", "paloalto_panos"), ("Opengear", "Opengear", "linux"))
    }
    hardware = []
    for maker, model, platform, height in (
        ("Cisco", "C9300-48P", "Cisco IOS-XE", 1), ("Cisco", "C9500-40X", "Cisco IOS-XE", 1),
        ("Cisco", "N9K-C93180YC", "Cisco NX-OS", 1), ("Juniper", "QFX5120-48Y", "Juniper Junos", 1),
        ("Juniper", "MX204", "Juniper Junos", 1), ("Arista", "DCS-7050SX3", "Arista EOS", 1),
        ("Arista", "DCS-7280R", "Arista EOS", 2), ("Palo Alto", "PA-3220", "PAN-OS", 2),
        ("Opengear", "OM2248", "Opengear", 1), ("Cisco", "ISR4451", "Cisco IOS-XE", 2),
    ):
        device_type, _ = DeviceType.objects.get_or_create(
            manufacturer=makers[maker], model=model,
            defaults=dict(u_height=height, part_number=f"PN-{model}", is_full_depth=True))
        hardware.append((device_type, platforms[platform]))

    regions, _ = missing(Location, [
        dict(name=f"Region {r}", location_type=region, status=active) for r in range(scale["regions"])])
    countries, _ = missing(Location, [
        dict(name=f"Country {r}-{c}", location_type=country, status=active, parent=regions[r])
        for r in range(scale["regions"]) for c in range(scale["countries"])])
    sites, _ = missing(Location, [
        dict(name=f"Site {r}-{c}-{s:02d}", location_type=site, parent=countries[r * scale["countries"] + c],
             status=active if s % 7 else planned, tenant=tenants[(r * 31 + c * 7 + s) % len(tenants)],
             facility=f"DC{s}", physical_address=f"{s} Main Street\nTown {r}{c}", time_zone="Europe/Amsterdam",
             description=f"Site {s} in country {r}-{c}", _custom_field_data={"external_id": f"S{r}{c}{s:02d}"})
        for r in range(scale["regions"]) for c in range(scale["countries"]) for s in range(scale["sites"])])

    devices, new_devices = missing(Device, [
        dict(name=f"dev-{i:05d}", device_type=hardware[i % len(hardware)][0], platform=hardware[i % len(hardware)][1],
             role=roles[i % len(roles)], location=sites[i % len(sites)],
             tenant=sites[i % len(sites)].tenant if i % 3 else None,
             status=(active, active, active, planned, offline)[i % 5], serial=f"SN{i:08d}", asset_tag=f"AT{i:06d}",
             comments="" if i % 10 else "from the yearly audit", _custom_field_data={"external_id": f"CMDB-{i:06d}"})
        for i in range(scale["devices"])])
    for i, device in enumerate(new_devices):
        if i % 20 == 0:
            device.tags.add(tags[i % len(tags)])

    interfaces = []
    for i, device in enumerate(new_devices):
        interfaces.append(Interface(device=device, name="Loopback0", type="virtual", status=active, description="router id"))
        interfaces.append(Interface(device=device, name="Management0", type="1000base-t", status=active, mgmt_only=True))
        interfaces += [
            Interface(device=device, name=f"Ethernet1/{port + 1}", type="10gbase-x-sfpp", status=active, mtu=9000,
                      enabled=port % 4 != 3, description=f"to dev-{(i + port) % scale['devices']:05d}" if port % 2 else "",
                      mac_address=f"02:00:{i >> 8 & 255:02x}:{i & 255:02x}:00:{port:02x}")
            for port in range(PORTS)
        ]
    Interface.objects.bulk_create(interfaces, batch_size=2000)

    everywhere = Namespace.objects.get(name="Global")
    customers = named(Namespace, "Customer overlap", description="Overlapping space")
    have = {(prefix.namespace_id, str(prefix.prefix)): prefix for prefix in Prefix.objects.all()}

    def prefixes(rows):
        new, places, found = [], [], []
        for row in rows:
            location = row.pop("location", None)
            row["prefix"] = str(ipaddress.ip_network(row["prefix"]))
            key = (row["namespace"].pk, row["prefix"])
            if key not in have:
                have[key] = Prefix(**row)
                have[key].ip_version = ipaddress.ip_network(row["prefix"]).version
                new.append(have[key])
                if location is not None:
                    places.append(Prefix.locations.through(prefix=have[key], location=location))
            found.append(have[key])
        Prefix.objects.bulk_create(new, batch_size=2000)
        Prefix.locations.through.objects.bulk_create(places, batch_size=2000)
        return found

    top = prefixes([
        dict(prefix="10.0.0.0/8", namespace=everywhere, type="container", status=active, description="RFC 1918"),
        dict(prefix="10.0.0.0/8", namespace=customers, type="container", status=active, description="customers"),
        dict(prefix="fd00::/16", namespace=everywhere, type="container", status=active, description="ULA")])
    blocks = [f"10.{k >> 4 & 255}.{(k & 15) * 16}.0" for k in range(len(sites))]
    site_nets = prefixes([
        dict(prefix=f"{blocks[k]}/20", namespace=everywhere, type="container", status=active, parent=top[0], tenant=s.tenant,
             location=s, description=f"{s.name} block", _custom_field_data={"external_id": f"P{k:05d}"})
        for k, s in enumerate(sites)])
    nets = prefixes([
        dict(prefix=f"{ipaddress.ip_address(blocks[k]) + n * 256}/24", namespace=everywhere, type="network",
             status=active if n % 5 else reserved, parent=site_nets[k], tenant=s.tenant, location=s,
             description=("users", "voice", "servers", "management")[n % 4])
        for k, s in enumerate(sites) for n in range(scale["nets"])])
    prefixes([dict(prefix=f"fd00:0:{k:x}::/48", namespace=everywhere, type="network", status=active, parent=top[2], location=s)
              for k, s in enumerate(sites)])
    prefixes([dict(prefix=f"10.{k >> 8}.{k & 255}.0/24", namespace=customers, type="network", status=active, parent=top[1],
                   tenant=tenants[k % len(tenants)]) for k in range(len(sites))])

    taken = {str(address.host) for address in IPAddress.objects.all()}
    addresses = []
    for k in range(scale["ips"]):
        net = nets[(k * 7) % len(nets)]
        host = str(ipaddress.ip_address(net.network) + 1 + k // len(nets))
        if host not in taken:
            addresses.append(IPAddress(
                address=f"{host}/24", parent=net, status=active, tenant=net.tenant, ip_version=4,
                dns_name=f"h{k}.example.com", description="" if k % 4 else "gateway"))
    IPAddress.objects.bulk_create(addresses, batch_size=2000)
    loopbacks = {interface.device_id: interface for interface in Interface.objects.filter(name="Loopback0")}
    primary = list(zip(addresses, devices))
    IPAddressToInterface.objects.bulk_create(
        [IPAddressToInterface(ip_address=address, interface=loopbacks[device.pk]) for address, device in primary],
        batch_size=2000)
    for address, device in primary:
        device.primary_ip4 = address
    Device.objects.bulk_update([device for _, device in primary], ["primary_ip4"], batch_size=1000)


parser = argparse.ArgumentParser()
parser.add_argument("--scale", choices=SCALES, default="small")
populate(SCALES[parser.parse_args().scale])
for model in (Location, Device, Interface, Prefix, IPAddress):
    for record in model.objects.order_by("?")[:20]:
        record.full_clean()
    print(f"{model._meta.verbose_name_plural}: {model.objects.count()}")
