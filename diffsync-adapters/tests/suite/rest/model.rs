//! What the derive says of a model.

use diffsync_adapters::RestModel;
use diffsync_adapters::rest::{PartKind, RestModel as _};
use diffsync_core::SyncModel;

#[derive(SyncModel, RestModel, Clone)]
#[rest(
    path = "dcim/devices",
    lookup("device_type -> dcim/device-types(manufacturer -> dcim/manufacturers(name), model)", manufacturer, model),
    owner(field = "custom_fields.managed_by", value = "diffsync")
)]
struct Device {
    #[sync(id)]
    name: String,
    #[rest(lookup = "location -> dcim/locations(parent*/name)")]
    location: String,
    manufacturer: String,
    model: String,
    #[rest(field = "custom_fields.external_id")]
    external_id: Option<String>,
    #[rest(lookup = "tags -> extras/tags(name)")]
    tags: Vec<String>,
    #[rest(choice)]
    face: Option<String>,
    #[rest(blank)]
    serial: Option<String>,
    #[sync(local)]
    #[rest(key)]
    id: Option<i64>,
}

#[test]
fn a_model_says_where_its_fields_are() {
    let schema = Device::REST;
    assert_eq!(schema.path, "dcim/devices");
    assert!(schema.key.has_field);
    let names: Vec<_> = schema.fields.iter().map(|field| field.names.join("+")).collect();
    assert_eq!(names, ["manufacturer+model", "name", "location", "external_id", "tags", "face", "serial"]);
    let location = schema.fields[2].part;
    let PartKind::Lookup { collection, parts } = location.kind else { panic!("{location:?}") };
    assert_eq!(collection, "dcim/locations");
    assert!(matches!(parts[0].kind, PartKind::Tree { parent: "parent", joined: true }));
    assert!(schema.fields[4].many);
}
