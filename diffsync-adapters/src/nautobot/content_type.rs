//! What Nautobot calls the kind of a record.

/// The content type of a collection's records: `dcim.devicetype` for `dcim/device-types`.
pub(super) fn content_type(path: &str) -> String {
    if path == "virtualization/interfaces" {
        return "virtualization.vminterface".to_owned();
    }

    let (app, plural) = path.rsplit_once('/').unwrap_or(("", path));
    let plural = plural.replace('-', "");
    let singular = if let Some(stem) = plural.strip_suffix("ies") {
        format!("{stem}y")
    } else if ["sses", "xes", "tuses"].iter().any(|end| plural.ends_with(end)) {
        plural.trim_end_matches("es").to_owned()
    } else if plural.ends_with("chassis") {
        plural
    } else {
        plural.trim_end_matches('s').to_owned()
    };

    format!("{}.{singular}", app.trim_start_matches("plugins/").replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_type_is_told_by_the_path() {
        for (path, of) in [
            ("dcim/devices", "dcim.device"),
            ("dcim/device-types", "dcim.devicetype"),
            ("ipam/prefixes", "ipam.prefix"),
            ("ipam/ip-addresses", "ipam.ipaddress"),
            ("extras/statuses", "extras.status"),
            ("virtualization/interfaces", "virtualization.vminterface"),
            ("ipam/services", "ipam.service"),
            ("dcim/virtual-chassis", "dcim.virtualchassis"),
            ("circuits/circuit-terminations", "circuits.circuittermination"),
            ("plugins/device-lifecycle/policies", "device_lifecycle.policy"),
        ] {
            assert_eq!(content_type(path), of);
        }
    }
}
