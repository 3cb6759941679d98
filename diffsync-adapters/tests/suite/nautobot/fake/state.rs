//! The records of the fake, as its database would hold them, and the rules that they keep.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::schema::{self, COLLECTIONS, Collection, Kind};

pub(crate) type Row = Map<String, Value>;

/// All records. A link is the other record's id, a list of links a list of ids, a choice its value.
#[derive(Clone, Default)]
pub(crate) struct State {
    pub(crate) rows: BTreeMap<&'static str, Vec<Row>>,
    /// The collections that the token may not view.
    pub(crate) hidden: BTreeSet<&'static str>,
    /// Whether each request is checked as if no other had been carried out yet, as when two come at the same moment: what its
    /// database does not keep unique is stored twice.
    pub(crate) racing: bool,
    made: u64,
}

/// What is wrong with a row: the field, and what the server says of it.
pub(crate) type Wrong = Map<String, Value>;

fn wrong<T>(field: &str, said: impl Into<String>) -> Result<T, Wrong> {
    Err(Map::from_iter([(field.to_owned(), json!([said.into()]))]))
}

impl State {
    /// What every new Nautobot has.
    pub(crate) fn new() -> Self {
        let mut state = Self::default();
        let types =
            json!(["dcim.device", "dcim.interface", "dcim.location", "ipam.ipaddress", "ipam.prefix", "ipam.vlan"]);
        for (name, color) in
            [("Active", "4caf50"), ("Planned", "00bcd4"), ("Offline", "ffc107"), ("Reserved", "00bcd4")]
        {
            state.insert("extras/statuses", json!({"name": name, "color": color, "content_types": types}));
        }
        state.insert(
            "extras/roles",
            json!({"name": "Loopback", "color": "9e9e9e", "content_types": ["ipam.ipaddress"]}),
        );
        let description = "Default Global namespace. Created by Nautobot.";
        state.insert("ipam/namespaces", json!({"name": "Global", "description": description}));
        state
    }

    /// The records that GraphQL shows: none of what the token may not view.
    pub(crate) fn shown(&self, path: &str) -> &[Row] {
        if self.hidden.contains(path) { &[] } else { self.of(path) }
    }

    /// Creates a record that is known to be right, and returns its id.
    pub(crate) fn insert(&mut self, path: &str, body: Value) -> String {
        let collection = schema::at(path).unwrap();
        let Value::Object(body) = body else { panic!("{body} is no record") };
        let row = self.created(collection, &body).unwrap_or_else(|wrong| panic!("{path}: {wrong:?}"));
        row["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn of(&self, path: &str) -> &[Row] {
        self.rows.get(path).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn row(&self, path: &str, id: &str) -> Option<&Row> {
        self.of(path).iter().find(|row| row["id"] == id)
    }

    /// Creates a record.
    pub(crate) fn created(&mut self, collection: &'static Collection, body: &Row) -> Result<Row, Wrong> {
        let mut row = Row::new();
        for (name, kind) in collection.fields {
            let value = match (body.get(*name), kind) {
                (None | Some(Value::Null), Kind::One(_) | Kind::Under(_) | Kind::Name | Kind::Choice(_, None)) => {
                    if collection.path == "extras/custom-fields" && *name == "key" {
                        let label = body.get("label").and_then(Value::as_str).unwrap_or_default();
                        json!(label.to_lowercase().replace(' ', "_"))
                    } else {
                        return wrong(name, "This field is required.");
                    }
                }
                (None, Kind::Flag(value)) => json!(value),
                (None, Kind::Choice(_, Some(value)) | Kind::Plain(_, Some(value))) => json!(value),
                (None, Kind::Many(_) | Kind::Types) => json!([]),
                (None, Kind::Text) => json!(""),
                (None, _) => Value::Null,
                (Some(value), kind) => self.clean(name, *kind, value)?,
            };
            row.insert((*name).to_owned(), value);
        }
        self.made += 1;
        // Ids that are in no order, as real ones.
        let mixed = self.made.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        row.insert(
            "id".into(),
            json!(format!("{:08x}-{:04x}-4000-8000-{:012x}", mixed >> 32, mixed >> 16 & 0xffff, self.made)),
        );
        row.insert("_custom_field_data".into(), json!({}));
        self.finish(collection, &mut row, body)?;
        self.rows.entry(collection.path).or_default().push(row.clone());
        Ok(row)
    }

    /// Changes a record. What the body holds beside the collection's fields is ignored.
    pub(crate) fn updated(&mut self, collection: &'static Collection, id: &str, body: &Row) -> Result<Row, Wrong> {
        let Some(mut row) = self.row(collection.path, id).cloned() else { panic!("no {id}") };
        for (name, kind) in collection.fields {
            if let Some(value) = body.get(*name) {
                row.insert((*name).to_owned(), self.clean(name, *kind, value)?);
            }
        }
        self.finish(collection, &mut row, body)?;
        let rows = self.rows.entry(collection.path).or_default();
        if let Some(place) = rows.iter_mut().find(|row| row["id"] == id) {
            place.clone_from(&row);
        }
        Ok(row)
    }

    /// A value as it is stored.
    fn clean(&self, name: &str, kind: Kind, value: &Value) -> Result<Value, Wrong> {
        match kind {
            Kind::Own => Ok(Value::Null),
            Kind::Name if value.as_str().is_some_and(|text| text.trim().is_empty()) => {
                wrong(name, "This field may not be blank.")
            }
            Kind::Name | Kind::Text if !value.is_string() => wrong(name, "Not a valid string."),
            Kind::Name | Kind::Text => Ok(json!(value.as_str().unwrap().trim())),
            Kind::Maybe if value.as_str().is_some_and(|text| text != text.trim()) => {
                Ok(json!(value.as_str().unwrap().trim()))
            }
            // Only an asset tag stays what it is, so that the next empty one is taken.
            Kind::Maybe if value == "" && name != "asset_tag" => Ok(Value::Null),
            Kind::Number if !(value.is_number() || value.is_null()) => wrong(name, "A valid integer is required."),
            Kind::Flag(_) if !value.is_boolean() => wrong(name, "Must be a valid boolean."),
            Kind::Choice(of, default) | Kind::Plain(of, default) => match value.as_str() {
                Some(value) if of.contains(&value) || Some(value) == default => Ok(json!(value)),
                _ => wrong(name, format!("\"{value}\" is not a valid choice.")),
            },
            Kind::MaybeOne(_) | Kind::MaybeUnder(_) | Kind::Emptied(_) if value.is_null() => Ok(Value::Null),
            Kind::Many(path) => {
                let Value::Array(items) = value else { return wrong(name, "Expected a list of items.") };
                items.iter().map(|item| self.related(name, path, item)).collect()
            }
            kind if kind.leads_to().is_some() => self.related(name, kind.leads_to().unwrap(), value),
            _ => Ok(value.clone()),
        }
    }

    /// The id of a related record, which may be named by id, by name or by attributes that only it has.
    fn related(&self, field: &str, path: &str, named: &Value) -> Result<Value, Wrong> {
        let by = match named {
            Value::Object(by) => by.clone(),
            Value::String(text) if text.len() == 36 && text.contains("-4000-8000-") => {
                Map::from_iter([("id".into(), json!(text))])
            }
            text => Map::from_iter([("name".into(), text.clone())]),
        };
        if let Some(row) = self.of(path).iter().find(|row| by.iter().all(|(name, value)| row.get(name) == Some(value)))
        {
            return Ok(row["id"].clone());
        }
        let by = Value::Object(by).to_string().replace('"', "'").replace("':", "': ");
        wrong(field, format!("Related object not found using the provided attributes: {by}"))
    }

    /// What the server does by itself, and what it insists on.
    fn finish(&self, collection: &'static Collection, row: &mut Row, body: &Row) -> Result<(), Wrong> {
        self.fill_custom_fields(collection, row, body)?;
        self.check_values(collection, row, body)?;
        as_stored(row);
        if self.racing && ["dcim/locations", "dcim/interfaces"].contains(&collection.path) {
            return Ok(());
        }
        self.check_unique(collection, row)
    }

    fn fill_custom_fields(&self, collection: &'static Collection, row: &mut Row, body: &Row) -> Result<(), Wrong> {
        if let (true, Some(Value::Object(given))) = (collection.custom_fields, body.get("custom_fields")) {
            // Custom fields that the kind of record does not have are ignored without a word.
            let known = self.custom_fields_of(collection);
            let data = row["_custom_field_data"].as_object_mut().unwrap();
            data.extend(given.iter().filter(|(key, _)| known.contains(key)).map(|(key, value)| {
                // An integer takes a fraction, and cuts it.
                let is_integer = self.custom_field(key).is_some_and(|field| field["type"] == "integer");
                #[allow(clippy::cast_possible_truncation, reason = "so does the server")]
                let cut = |value: f64| json!(value.trunc() as i64);
                let value = value.as_f64().filter(|_| is_integer).map_or(value.clone(), cut);
                (key.clone(), value)
            }));
        }
        let is_new = self.row(collection.path, row["id"].as_str().unwrap()).is_none();
        if collection.custom_fields {
            for key in self.custom_fields_of(collection) {
                let field = self.custom_field(&key).unwrap().clone();
                let data = row["_custom_field_data"].as_object_mut().unwrap();
                if is_new && !data.contains_key(&key) && !field["default"].is_null() {
                    data.insert(key.clone(), field["default"].clone());
                }
                let touches = body.get("custom_fields").is_some() || is_new;
                if touches && field["required"] == true && data.get(&key).is_none_or(Value::is_null) {
                    let said = format!("Invalid value for custom field '{key}': Required field cannot be empty.");
                    return wrong("__all__", said);
                }
            }
        }
        Ok(())
    }

    fn check_values(&self, collection: &'static Collection, row: &mut Row, body: &Row) -> Result<(), Wrong> {
        match collection.path {
            "ipam/prefixes" => {
                let Ok(net) = row["prefix"].as_str().unwrap_or_default().parse::<IpNet>() else {
                    return wrong("prefix", "Enter a valid prefix");
                };
                row.insert("prefix".into(), json!(net.trunc().to_string()));
            }
            "ipam/ip-addresses" => {
                let Ok(address) = row["address"].as_str().unwrap_or_default().parse::<IpNet>() else {
                    return wrong("address", "Enter a valid IPv4 or IPv6 address.");
                };
                if let Some(namespace) = body.get("namespace") {
                    let namespace = self.related("namespace", "ipam/namespaces", namespace)?;
                    row.insert("parent_namespace".into(), namespace);
                }
                if row.get("parent_namespace").is_none() {
                    return wrong("__all__", "One of parent or namespace must be provided");
                }
                row.insert("host".into(), json!(address.addr().to_string()));
                row.insert("mask_length".into(), json!(address.prefix_len()));
                if self.parent_of(&row["parent_namespace"], address.addr()).is_none() {
                    let said = format!("No suitable parent Prefix for {} exists in Namespace Global", address.addr());
                    return wrong("namespace", said);
                }
            }
            "extras/custom-fields" if row["type"] == "select" && !row["default"].is_null() => {
                let choices = self.of("extras/custom-field-choices").iter();
                let mut own = choices.filter(|choice| choice["custom_field"] == row["id"]);
                if !own.any(|choice| choice["value"] == row["default"]) {
                    let said =
                        format!("Invalid default value {}: Invalid choice. Available choices are: ", row["default"]);
                    return wrong("default", said);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn check_unique(&self, collection: &'static Collection, row: &Row) -> Result<(), Wrong> {
        let has_tag = |other: &&Row| other["id"] != row["id"] && other["asset_tag"] == row["asset_tag"];
        if collection.path == "dcim/devices"
            && !row["asset_tag"].is_null()
            && self.of(collection.path).iter().any(|other| has_tag(&other))
        {
            return wrong("asset_tag", "device with this Asset tag already exists.");
        }
        let has_name = |other: &&Row| {
            let shares = |field: &&str| other[*field] == row[*field];
            other["id"] != row["id"] && ["name", "location", "tenant"].iter().all(shares)
        };
        if collection.path == "dcim/devices"
            && !row["name"].is_null()
            && self.of(collection.path).iter().any(|other| has_name(&other))
        {
            return wrong("__all__", format!("A device named {} already exists in this location.", row["name"]));
        }
        let is_named_so = |other: &&Row| {
            let shares = |field: &&str| !row[*field].is_null() && other[*field] == row[*field];
            other["id"] != row["id"] && ["vlan_group", "name"].iter().all(shares)
        };
        if collection.path == "ipam/vlans" && self.of(collection.path).iter().any(|other| is_named_so(&other)) {
            return wrong("non_field_errors", "The fields vlan_group, name must make a unique set.");
        }
        let taken = self.of(collection.path).iter().any(|other| {
            other["id"] != row["id"]
                && collection.unique.iter().all(|field| !row[*field].is_null() && other[*field] == row[*field])
        });
        // As in SQL, nothing differs from nothing; Nautobot checks locations without a parent all the same.
        let taken = taken
            || collection.path == "dcim/locations"
                && self.of(collection.path).iter().any(|other| {
                    other["id"] != row["id"] && other["name"] == row["name"] && other["parent"] == row["parent"]
                });
        if taken {
            return wrong(
                collection.clash,
                format!("The fields {} must make a unique set.", collection.unique.join(", ")),
            );
        }
        Ok(())
    }

    fn custom_field(&self, key: &str) -> Option<&Row> {
        self.of("extras/custom-fields").iter().find(|field| field["key"] == key)
    }

    /// The smallest prefix around an address.
    pub(crate) fn parent_of(&self, namespace: &Value, address: IpAddr) -> Option<&Row> {
        let nets = self.of("ipam/prefixes").iter().filter(|row| row["namespace"] == *namespace);
        let nets = nets.map(|row| (row["prefix"].as_str().unwrap().parse::<IpNet>().unwrap(), row));
        nets.filter(|(net, _)| net.contains(&address)).max_by_key(|(net, _)| net.prefix_len()).map(|(_, row)| row)
    }

    /// The keys of the custom fields that a kind of record has.
    pub(crate) fn custom_fields_of(&self, collection: &Collection) -> Vec<String> {
        let has = |row: &&Row| row["content_types"].as_array().unwrap().iter().any(|of| of == collection.object_type);
        self.of("extras/custom-fields").iter().filter(has).map(|row| row["key"].as_str().unwrap().to_owned()).collect()
    }

    /// Deletes a record with what goes with it, or names what is in the way.
    pub(crate) fn deleted(&mut self, path: &'static str, id: &str) -> Result<(), Vec<String>> {
        let mut in_the_way = Vec::new();
        let mut along = Vec::new();
        for collection in COLLECTIONS {
            for (field, kind) in collection.fields {
                let named = |row: &&Row| row[*field] == id;
                match kind {
                    Kind::One(to) | Kind::MaybeOne(to) if *to == path => {
                        in_the_way.extend(self.of(collection.path).iter().filter(named).map(title));
                    }
                    Kind::Under(to) | Kind::MaybeUnder(to) if *to != path => {}
                    Kind::Under(_) | Kind::MaybeUnder(_) | Kind::Attached => {
                        along.extend(
                            self.of(collection.path)
                                .iter()
                                .filter(named)
                                .map(|row| (collection.path, row["id"].clone())),
                        );
                    }
                    _ => {}
                }
            }
        }
        if path == "ipam/prefixes" {
            let mut without = self.clone();
            without.rows.entry(path).or_default().retain(|row| row["id"] != id);
            let orphans = self.of("ipam/ip-addresses").iter().filter(|row| {
                let host = row["host"].as_str().unwrap().parse().unwrap();
                without.parent_of(&row["parent_namespace"], host).is_none()
            });
            in_the_way.extend(orphans.map(title));
        }
        if !in_the_way.is_empty() {
            return Err(in_the_way);
        }
        for (path, id) in along {
            self.deleted(path, id.as_str().unwrap())?;
        }
        for collection in COLLECTIONS {
            for row in self.rows.entry(collection.path).or_default() {
                for (field, kind) in collection.fields {
                    match (kind, &mut row[*field]) {
                        (Kind::Many(to), Value::Array(items)) if *to == path => items.retain(|item| item != id),
                        (Kind::Emptied(to), value) if *to == path && value == id => *value = Value::Null,
                        _ => {}
                    }
                }
            }
        }
        // What is on no interface any more is nobody's primary address.
        let unassigned = self.row(path, id).and_then(|row| row.get("ip_address").cloned());
        for device in self.rows.entry("dcim/devices").or_default().iter_mut().filter(|_| unassigned.is_some()) {
            if Some(&device["primary_ip4"]) == unassigned.as_ref() {
                device["primary_ip4"] = Value::Null;
            }
        }
        self.rows.entry(path).or_default().retain(|row| row["id"] != id);
        Ok(())
    }
}

pub(crate) fn title_of(row: &Row) -> &str {
    ["name", "prefix", "address", "value", "id"].iter().find_map(|field| row.get(*field)?.as_str()).unwrap()
}

fn title(row: &Row) -> String {
    format!("{} ({})", title_of(row), row["id"].as_str().unwrap())
}

/// Spells some values as the server does.
fn as_stored(row: &mut Row) {
    for (name, value) in row.iter_mut() {
        let Some(text) = value.as_str() else { continue };
        *value = match name.as_str() {
            "mac_address" => {
                let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
                let pairs: Vec<_> = digits.as_bytes().chunks(2).map(String::from_utf8_lossy).collect();
                json!(pairs.join(":").to_uppercase())
            }
            "dns_name" => json!(text.to_lowercase()),
            "latitude" | "longitude" => json!(format!("{:.6}", text.parse::<f64>().unwrap())),
            _ => continue,
        };
    }
}
