//! What a Nautobot deletes or empties along with a record: looked for before the delete, and refused unless the plan deletes
//! it too.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use diffsync_core::adapter::TargetError;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

use self::Fate::{Deleted, Emptied, Part};
use crate::rest::{Client, CollectionFormat, Error, StatusCode};

/// How many records are asked about at once, so that the URL stays well below the 8,000 bytes at which servers hang up.
const RECORDS: usize = 100;

/// How many of the records that would be lost an error names.
const NAMED: usize = 5;

/// What becomes of a record when one that it is linked to is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is deleted too: a record of its own, or a link to one.
    Deleted,
    /// It stays, and its link is emptied.
    Emptied,
    /// It is deleted, and was a part of the record, such as a console port of a device. It is shown and not refused.
    Part,
}

/// A link that a Nautobot follows when it deletes a record.
#[derive(Debug)]
struct Cascade {
    /// The collection of the record that is deleted.
    of: &'static str,
    /// The collection of what goes with it.
    path: &'static str,
    /// The field of that which holds the record's key.
    by: &'static str,
    /// The parameter that takes the keys of records. Without one, the whole collection is read.
    parameter: Option<&'static str>,
    fate: Fate,
    /// Other fields that hold a key. Where that record is to be deleted as well, nothing is lost.
    ends: &'static [&'static str],
    /// The only kind of record that anything can hang on by this link. The parameter takes no others.
    kind: Option<&'static str>,
}

/// A record that is to be deleted.
pub(super) struct Doomed {
    pub(super) key: String,
    /// Its kind, if it is known.
    pub(super) kind: Option<String>,
}

const fn cascade(of: &'static str, path: &'static str, by: &'static str, fate: Fate) -> Cascade {
    Cascade { of, path, by, parameter: Some(by), fate, ends: &[], kind: None }
}

const fn link(of: &'static str, path: &'static str, by: &'static str, ends: &'static [&'static str]) -> Cascade {
    Cascade { ends, ..cascade(of, path, by, Deleted) }
}

/// A cable loses one end, unless the other goes too.
const fn cable(by: &'static str, ends: &'static [&'static str]) -> Cascade {
    Cascade { ends, ..cascade("dcim/interfaces", "dcim/cables", by, Emptied) }
}

/// A config context that applies to these records. Without any left, it would apply to all.
const fn context(of: &'static str, by: &'static str, parameter: &'static str) -> Cascade {
    Cascade { parameter: Some(parameter), ..cascade(of, "extras/config-contexts", by, Emptied) }
}

/// A record that is attached to one of any collection.
const fn attached(path: &'static str, by: &'static str, ends: &'static [&'static str]) -> Cascade {
    link("", path, by, ends)
}

/// All that Nautobot 3.2 deletes or empties along with the records of the ready data set, and with VLANs. What it protects it refuses by
/// itself, with `409 Conflict`. A primary address is always one that is assigned, so the assignment represents it.
const CASCADES: &[Cascade] = &[
    cascade("tenancy/tenant-groups", "tenancy/tenant-groups", "parent", Deleted),
    cascade("tenancy/tenant-groups", "tenancy/tenants", "tenant_group", Emptied),
    context("tenancy/tenant-groups", "tenant_groups", "tenant_group_id"),
    cascade("tenancy/tenants", "dcim/virtual-device-contexts", "tenant", Deleted),
    cascade("tenancy/tenants", "vpn/vpn-profiles", "tenant", Emptied),
    cascade("tenancy/tenants", "vpn/vpn-phase-1-policies", "tenant", Emptied),
    cascade("tenancy/tenants", "vpn/vpn-phase-2-policies", "tenant", Emptied),
    cascade("tenancy/tenants", "vpn/vpns", "tenant", Emptied),
    cascade("tenancy/tenants", "vpn/vpn-tunnels", "tenant", Emptied),
    cascade("tenancy/tenants", "vpn/vpn-tunnel-endpoints", "tenant", Emptied),
    context("tenancy/tenants", "tenants", "tenant_id"),
    cascade("dcim/location-types", "dcim/location-types", "parent", Deleted),
    cascade("dcim/locations", "dcim/locations", "parent", Deleted),
    cascade("dcim/locations", "dcim/rack-groups", "location", Deleted),
    link("dcim/locations", "ipam/prefix-location-assignments", "location", &["prefix"]),
    link("dcim/locations", "ipam/vlan-location-assignments", "location", &["vlan"]),
    cascade("dcim/locations", "extras/image-attachments", "object_id", Deleted),
    context("dcim/locations", "locations", "location_id"),
    cascade("dcim/platforms", "dcim/devices", "platform", Emptied),
    cascade("dcim/platforms", "dcim/software-versions", "platform", Deleted),
    cascade("dcim/platforms", "dcim/controllers", "platform", Emptied),
    cascade("dcim/platforms", "virtualization/virtual-machines", "platform", Emptied),
    context("dcim/platforms", "platforms", "platform_id"),
    context("dcim/device-types", "device_types", "device_type_id"),
    cascade("dcim/device-types", "dcim/console-port-templates", "device_type", Part),
    cascade("dcim/device-types", "dcim/console-server-port-templates", "device_type", Part),
    cascade("dcim/device-types", "dcim/power-port-templates", "device_type", Part),
    cascade("dcim/device-types", "dcim/power-outlet-templates", "device_type", Part),
    cascade("dcim/device-types", "dcim/interface-templates", "device_type", Part),
    cascade("dcim/device-types", "dcim/front-port-templates", "device_type", Part),
    cascade("dcim/device-types", "dcim/rear-port-templates", "device_type", Part),
    cascade("dcim/device-types", "dcim/device-bay-templates", "device_type", Part),
    cascade("dcim/device-types", "dcim/module-bay-templates", "device_type", Part),
    cascade("dcim/device-types", "dcim/device-types-to-software-image-files", "device_type", Part),
    cascade("dcim/devices", "dcim/interfaces", "device", Deleted),
    cascade("dcim/devices", "dcim/console-ports", "device", Part),
    cascade("dcim/devices", "dcim/console-server-ports", "device", Part),
    cascade("dcim/devices", "dcim/power-ports", "device", Part),
    cascade("dcim/devices", "dcim/power-outlets", "device", Part),
    cascade("dcim/devices", "dcim/front-ports", "device", Part),
    cascade("dcim/devices", "dcim/rear-ports", "device", Part),
    cascade("dcim/devices", "dcim/device-bays", "device", Part),
    cascade("dcim/devices", "dcim/device-bays", "installed_device", Emptied),
    cascade("dcim/devices", "dcim/inventory-items", "device", Part),
    cascade("dcim/devices", "dcim/module-bays", "parent_device", Part),
    cascade("dcim/devices", "dcim/virtual-device-contexts", "device", Deleted),
    cascade("dcim/devices", "ipam/services", "device", Deleted),
    link("dcim/devices", "dcim/device-cluster-assignments", "device", &["cluster"]),
    link("dcim/devices", "ipam/vrf-device-assignments", "device", &["vrf"]),
    cascade("dcim/devices", "vpn/vpn-tunnel-endpoints", "device", Deleted),
    cascade("dcim/devices", "extras/image-attachments", "object_id", Deleted),
    cascade("dcim/interfaces", "dcim/interfaces", "parent_interface", Deleted),
    cascade("dcim/interfaces", "dcim/interfaces", "bridge", Emptied),
    Cascade { kind: Some("lag"), ..cascade("dcim/interfaces", "dcim/interfaces", "lag", Emptied) },
    cable("termination_a_id", &["termination_b_id"]),
    cable("termination_b_id", &["termination_a_id"]),
    link("dcim/interfaces", "ipam/ip-address-to-interface", "interface", &["ip_address"]),
    link(
        "dcim/interfaces",
        "dcim/interface-redundancy-group-associations",
        "interface",
        &["interface_redundancy_group"],
    ),
    link("dcim/interfaces", "dcim/interface-vdc-assignments", "interface", &["virtual_device_context"]),
    cascade("dcim/interfaces", "vpn/vpn-tunnel-endpoints", "source_interface", Deleted),
    cascade("dcim/interfaces", "vpn/vpn-tunnel-endpoints", "tunnel_interface", Emptied),
    cascade("dcim/interfaces", "vpn/vpn-terminations", "interface", Deleted),
    link("ipam/prefixes", "ipam/prefix-location-assignments", "prefix", &["location"]),
    link("ipam/prefixes", "ipam/vrf-prefix-assignments", "prefix", &["vrf"]),
    link("ipam/prefixes", "cloud/cloud-network-prefix-assignments", "prefix", &["cloud_network"]),
    cascade("ipam/prefixes", "vpn/vpn-tunnel-endpoints", "protected_prefixes", Emptied),
    link("ipam/ip-addresses", "ipam/ip-address-to-interface", "ip_address", &["interface", "vm_interface"]),
    cascade("ipam/ip-addresses", "ipam/ip-addresses", "nat_inside", Emptied),
    // Services cannot be searched by their addresses.
    Cascade { parameter: None, ..cascade("ipam/ip-addresses", "ipam/services", "ip_addresses", Emptied) },
    cascade("ipam/ip-addresses", "dcim/interface-redundancy-groups", "virtual_ip", Deleted),
    cascade("ipam/ip-addresses", "dcim/virtual-device-contexts", "primary_ip4", Emptied),
    cascade("ipam/ip-addresses", "dcim/virtual-device-contexts", "primary_ip6", Emptied),
    cascade("ipam/ip-addresses", "load-balancers/load-balancer-pool-members", "ip_address", Deleted),
    cascade("ipam/ip-addresses", "vpn/vpn-tunnel-endpoints", "source_ipaddress", Emptied),
    cascade("ipam/vlans", "dcim/interfaces", "untagged_vlan", Emptied),
    cascade("ipam/vlans", "dcim/interfaces", "tagged_vlans", Emptied),
    cascade("ipam/vlans", "virtualization/interfaces", "untagged_vlan", Emptied),
    cascade("ipam/vlans", "virtualization/interfaces", "tagged_vlans", Emptied),
    cascade("ipam/vlans", "vpn/vpn-terminations", "vlan", Deleted),
    link("ipam/vlans", "ipam/vlan-location-assignments", "vlan", &["location"]),
];

/// What can be attached to a record of any collection, and is deleted with it.
const ATTACHED: &[Cascade] = &[
    attached("extras/relationship-associations", "source_id", &["destination_id"]),
    attached("extras/relationship-associations", "destination_id", &["source_id"]),
    attached("extras/contact-associations", "associated_object_id", &["contact", "team"]),
    attached("extras/static-group-associations", "associated_object_id", &["dynamic_group"]),
    // Jobs note there where a record came from, so refusing would keep every record that a job has written.
    Cascade { fate: Part, ..attached("extras/object-metadata", "assigned_object_id", &[]) },
];

/// Collections whose records take nothing along that is not protected, except what is attached to them.
const LEAVES: &[&str] = &["dcim/manufacturers", "ipam/namespaces"];

/// Collections whose records take nothing along at all: nothing can be attached to a link.
const LINKS: &[&str] = &["ipam/prefix-location-assignments"];

/// All links by which something goes along with the records of a collection.
fn cascades(of: &'static str) -> impl Iterator<Item = &'static Cascade> {
    let attached = if is_known(of) && !LINKS.contains(&of) { ATTACHED } else { &[] };
    CASCADES.iter().filter(move |cascade| cascade.of == of).chain(attached)
}

/// Whether it is known what goes along with the records of a collection.
pub(super) fn is_known(of: &str) -> bool {
    LEAVES.contains(&of) || LINKS.contains(&of) || CASCADES.iter().any(|cascade| cascade.of == of)
}

/// The error of a record of a collection of which it is not known what goes along.
pub(super) fn unknown(of: &str) -> TargetError {
    TargetError::new(format!("it is not deleted: {}", why_unknown(of)))
}

/// Why a record of such a collection is not deleted, and how to allow it.
pub(super) fn why_unknown(of: &str) -> String {
    format!(
        "what Nautobot would delete or empty along with a record of `{of}` is not known here; allow it with \
         `allow_cascade(\"{of}\")`"
    )
}

/// What goes along by one link.
#[derive(Default)]
struct Found {
    /// What would be lost, each with the key of the record that it goes with.
    lost: Vec<(String, String)>,
    /// The records that are deleted along and may be, each with the key of the record that it goes with: what hangs on them
    /// goes too.
    along: Vec<(String, Doomed)>,
}

/// What looks for what would be lost.
pub(super) struct CascadeSearch<'a> {
    pub(super) client: &'a Client,
    pub(super) query: &'a [(String, String)],
    pub(super) format: &'a CollectionFormat,
    /// The collections whose records may go along.
    pub(super) allowed: &'a BTreeSet<String>,
    /// The keys of all records that the plan deletes.
    pub(super) planned: &'a HashSet<String>,
}

impl CascadeSearch<'_> {
    /// What the plan does not delete and would go with each of these records of a collection, by their keys.
    ///
    /// A planned record that goes along with its parent is never deleted by itself, so what hangs on it is looked for here.
    pub(super) async fn losses(
        &self,
        of: &'static str,
        doomed: Vec<Doomed>,
    ) -> Result<BTreeMap<String, Vec<String>>, TargetError> {
        // The record of the request that each goes with.
        let mut roots: HashMap<String, String> =
            doomed.iter().map(|record| (record.key.clone(), record.key.clone())).collect();
        let mut losses: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut open = BTreeMap::from([(of, doomed)]);

        while let Some((of, doomed)) = open.pop_first() {
            let mut asked = Vec::new();
            for cascade in cascades(of) {
                let may_have = |record: &&Doomed| match (cascade.kind, &record.kind) {
                    (Some(only), Some(kind)) => only == kind,
                    _ => true,
                };
                let keys: Vec<String> = doomed.iter().filter(may_have).map(|record| record.key.clone()).collect();
                let found = keys.chunks(RECORDS).map(|keys| self.found(of, cascade, keys.to_vec()));
                asked.extend(found.map(|found| async move { Ok::<_, TargetError>((cascade.path, found.await?)) }));
            }
            let found: Vec<(&'static str, Found)> =
                stream::iter(asked).buffer_unordered(self.client.concurrency()).try_collect().await?;

            for (path, found) in found {
                for (key, what) in found.lost {
                    let root = roots.get(&key).cloned().unwrap_or(key);
                    losses.entry(root).or_default().push(what);
                }
                for (key, along) in found.along {
                    // What was looked at is not looked at again, though links lead in circles.
                    if roots.contains_key(&along.key) {
                        continue;
                    }
                    let root = roots.get(&key).cloned().unwrap_or(key);
                    roots.insert(along.key.clone(), root);
                    open.entry(path).or_default().push(along);
                }
            }
        }

        for losses in losses.values_mut() {
            losses.sort();
        }

        Ok(losses)
    }

    /// What goes along by one link.
    async fn found(&self, of: &str, cascade: &Cascade, keys: Vec<String>) -> Result<Found, TargetError> {
        let mut found = Found::default();
        if cascade.fate == Part {
            self.show_parts(of, cascade, &keys).await;
            return Ok(found);
        }

        let rows = self.rows(cascade, &keys).await?;
        let is_allowed = self.allowed.contains(cascade.path);
        // A row may lead to several of the records, and is lost to each of them.
        let led = rows.iter().flat_map(|row| keys_at(row, cascade.by).into_iter().map(move |key| (row, key)));
        for (row, key) in led.filter(|(_, key)| keys.contains(key)) {
            let goes_anyway = |field: &str| key_at(row, field).is_some_and(|key| self.planned.contains(&key));
            let is_planned = goes_anyway("id");
            if cascade.fate == Deleted
                && (is_planned || is_allowed)
                && let Some(own) = key_at(row, "id")
            {
                found.along.push((key.clone(), Doomed { key: own, kind: kind_of(row) }));
            }
            if is_planned || cascade.ends.iter().any(|end| goes_anyway(end)) {
                continue;
            }
            let what = described(cascade, row);
            if is_allowed {
                tracing::warn!(of, key, "a delete takes along what the plan does not hold: it would {what}");
            } else {
                found.lost.push((key, what));
            }
        }

        Ok(found)
    }

    /// The rows that lead to these records.
    ///
    /// A server answers 400 if one of the keys is not, or no longer, of a record that the rows can lead to. Then the keys are
    /// asked about in halves. Any other 400 leaves open what hangs on them, and so does a filter that this Nautobot does not
    /// know: it gives no rows, though they may be there.
    async fn rows(&self, cascade: &Cascade, keys: &[String]) -> Result<Vec<Value>, TargetError> {
        let mut rows = Vec::new();
        let mut open = vec![keys];
        while let Some(keys) = open.pop() {
            let query = self.about(cascade, keys);
            let error = match self.client.rows(cascade.path, &query, self.format, Some("id"), |_, _| {}).await {
                Ok(found) => {
                    rows.extend(found);
                    continue;
                }
                Err(error) => error,
            };
            let is_allowed = self.allowed.contains(cascade.path);
            match error.status() {
                // This Nautobot has no such records, or none that lead there.
                Some(StatusCode::NOT_FOUND) => return Ok(rows),
                Some(StatusCode::BAD_REQUEST) if is_no_choice(&error, cascade.parameter) => {
                    if keys.len() > 1 {
                        let (one, other) = keys.split_at(keys.len() / 2);
                        open.extend([one, other]);
                    }
                }
                Some(StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN) if is_allowed => {
                    tracing::warn!(%error, "what goes along in `{}` is allowed, and cannot be seen", cascade.path);
                    return Ok(rows);
                }
                Some(StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN) => return Err(unseen(cascade, &error)),
                _ => return Err(error.into_target_error()),
            }
        }

        Ok(rows)
    }

    /// The parameters that ask for what leads to these records.
    fn about(&self, cascade: &Cascade, keys: &[String]) -> Vec<(String, String)> {
        let of_key = |key: &String| cascade.parameter.map(|parameter| (parameter.to_owned(), key.clone()));
        self.query.iter().cloned().chain(keys.iter().filter_map(of_key)).collect()
    }

    /// Says how many parts go with the records.
    async fn show_parts(&self, of: &str, cascade: &Cascade, keys: &[String]) {
        let mut request = self.client.get(cascade.path).query("limit", "1");
        for (name, value) in self.about(cascade, keys) {
            request = request.query(&name, &value);
        }

        let parts = match request.send().await {
            Ok(answer) => answer.body.get("count").and_then(Value::as_u64).unwrap_or_default(),
            // This Nautobot has no such parts, or the record is gone.
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) || is_no_choice(&error, cascade.parameter) => 0,
            Err(error) => {
                tracing::warn!(of, %error, "whether records have parts in `{}` cannot be seen", cascade.path);
                0
            }
        };
        if parts > 0 {
            tracing::warn!(of, parts, "records are deleted with their parts in `{}`", cascade.path);
        }
    }
}

/// Whether a 400 says that a key is not of a record that this filter takes.
fn is_no_choice(error: &Error, parameter: Option<&str>) -> bool {
    let said = error.response_body().and_then(|answer| answer.get(parameter?));
    said.is_some_and(|said| said.to_string().contains("is not one of the available choices"))
}

/// The kind of a row, as it is filtered by.
fn kind_of(row: &Value) -> Option<String> {
    let kind = row.get("type")?;
    kind.get("value").unwrap_or(kind).as_str().map(str::to_owned)
}

/// The error where it cannot be seen what would go along.
fn unseen(cascade: &Cascade, error: &Error) -> TargetError {
    let path = cascade.path;
    TargetError::new(format!(
        "whether anything in `{path}` would go with it cannot be seen: {error}; let the token view `{path}` and its filters, or allow that with \
         `allow_cascade(\"{path}\")`"
    ))
}

/// The key at a field of a row, or the text, in small letters: the field holds it, or an object with it.
pub(super) fn key_at(row: &Value, field: &str) -> Option<String> {
    let value = row.get(field)?;
    value.get("id").or_else(|| value.get("value")).unwrap_or(value).as_str().map(str::to_lowercase)
}

/// The keys at a field of a row, which may hold a list of records.
fn keys_at(row: &Value, field: &str) -> Vec<String> {
    match row.get(field) {
        Some(Value::Array(records)) => {
            let keys = records.iter().filter_map(|record| record.get("id").unwrap_or(record).as_str());
            keys.map(str::to_lowercase).collect()
        }
        _ => key_at(row, field).into_iter().collect(),
    }
}

/// What would become of a row, to follow "it would".
fn described(cascade: &Cascade, row: &Value) -> String {
    let name =
        ["display", "name", "id"].iter().find_map(|field| row.get(*field)?.as_str().filter(|text| !text.is_empty()));
    let name = name.unwrap_or("a record");
    let url = row.get("url").and_then(Value::as_str).unwrap_or(cascade.path);
    match cascade.fate {
        Emptied if row.get(cascade.by).is_some_and(Value::is_array) => {
            format!("remove it from `{}` of {name:?} ({url})", cascade.by)
        }
        Emptied => format!("empty `{}` of {name:?} ({url})", cascade.by),
        Deleted | Part => format!("delete {name:?} ({url})"),
    }
}

/// The error of a record that is not deleted because of what it would take along.
pub(super) fn refused(losses: &[String]) -> TargetError {
    let mut text = losses.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if losses.len() > NAMED {
        text = format!("{text} and {} more", losses.len() - NAMED);
    }
    TargetError::new(format!(
        "it is not deleted, since Nautobot would {text}, which is not in the plan; move or remove that first, add it to the data \
         set, or allow it with `allow_cascade`"
    ))
}
