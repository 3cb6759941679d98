//! A network's inventory: every kind of link, in one data set.

use diffsync_core::{Dataset, ModelExt, SyncModel, Table};

/// Who uses devices. No two have the same code.
#[derive(SyncModel, Clone, Debug, PartialEq)]
#[sync(deletes_first)]
pub(crate) struct Tenant {
    #[sync(id)]
    pub(crate) name: String,
    pub(crate) code: Option<String>,
}

/// A label.
#[derive(SyncModel, Clone, Debug, PartialEq)]
pub(crate) struct Tag {
    #[sync(id)]
    pub(crate) name: String,
    pub(crate) color: Option<String>,
}

/// A place, which may be within another.
#[derive(SyncModel, Clone, Debug, PartialEq)]
pub(crate) struct Location {
    #[sync(id)]
    pub(crate) name: String,
    #[sync(parent = Self)]
    pub(crate) within: Option<String>,
    pub(crate) kind: Option<String>,
}

/// A device, which names others in every way.
#[derive(SyncModel, Clone, Debug, PartialEq)]
pub(crate) struct Device {
    #[sync(id)]
    pub(crate) name: String,
    #[sync(parent = Location)]
    pub(crate) location: String,
    #[sync(references = Tenant)]
    pub(crate) tenant: Option<String>,
    #[sync(references = Tag, compare = unordered)]
    pub(crate) tags: Vec<String>,
    /// The device that must be there before it.
    #[sync(references = Self)]
    pub(crate) master: Option<String>,
    /// What it is reached by, which is an address of one of its own interfaces.
    #[sync(references(Address, deferred))]
    pub(crate) primary: Option<String>,
    /// The devices that it is connected to, which are connected to it.
    #[sync(references(Self, deferred))]
    pub(crate) peers: Vec<String>,
    #[sync(when_some)]
    pub(crate) serial: Option<String>,
    #[sync(create_only)]
    pub(crate) password: Option<String>,
    #[sync(compare = contains)]
    pub(crate) features: Vec<String>,
}

/// A port of a device.
#[derive(SyncModel, Clone, Debug, PartialEq)]
pub(crate) struct Interface {
    #[sync(id, parent = Device)]
    pub(crate) device: String,
    #[sync(id)]
    pub(crate) name: String,
    pub(crate) mtu: Option<u32>,
}

/// An address, which may be that of an interface.
#[derive(SyncModel, Clone, Debug, PartialEq)]
#[sync(references(Interface, device = device, name = interface))]
pub(crate) struct Address {
    #[sync(id)]
    pub(crate) ip: String,
    pub(crate) device: Option<String>,
    pub(crate) interface: Option<String>,
    pub(crate) dns: Option<String>,
}

/// A note, for which all devices must be there.
#[derive(SyncModel, Clone, Debug, PartialEq)]
#[sync(after(Device))]
pub(crate) struct Note {
    #[sync(id)]
    pub(crate) name: String,
    pub(crate) text: Option<String>,
}

/// All that one side holds, in an order that no rule asks for.
#[derive(Dataset, Default)]
pub(crate) struct Net {
    pub(crate) notes: Table<Note>,
    pub(crate) addresses: Table<Address>,
    pub(crate) devices: Table<Device>,
    pub(crate) interfaces: Table<Interface>,
    pub(crate) tenants: Table<Tenant>,
    pub(crate) tags: Table<Tag>,
    pub(crate) locations: Table<Location>,
}

/// Calls a macro with each model and its table.
macro_rules! each_model {
    ($with:ident $($first:tt)*) => {
        $with! {
            $($first)*
            Note notes, Address addresses, Device devices, Interface interfaces, Tenant tenants, Tag tags,
            Location locations
        }
    };
}
pub(crate) use each_model;

macro_rules! copies {
    ($($model:ident $table:ident),*) => {
        impl Net {
            /// The same records, in the same order.
            pub(crate) fn copy(&self) -> Self {
                let mut copy = Self::default();
                $(copy.$table.extend(self.$table.iter().cloned());)*
                copy
            }

            /// Each record as `model identifier`.
            pub(crate) fn names(&self) -> Vec<String> {
                let mut names = Vec::new();
                $(names.extend(self.$table.iter().map(name));)*
                names
            }

            /// Each record as text, in an order that does not depend on that of loading.
            pub(crate) fn shown(&self) -> Vec<String> {
                let mut shown = Vec::new();
                $(shown.extend(self.$table.iter().map(|record| format!("{record:?}")));)*
                shown.sort();
                shown
            }
        }
    };
}
each_model!(copies);

/// A record as `model identifier`.
pub(crate) fn name<M: SyncModel>(record: &M) -> String {
    format!("{} {}", M::NAME, record.id())
}

/// The values after a record's name.
struct Values<'a>(Vec<(&'a str, &'a str)>);

impl Values<'_> {
    fn get(&self, key: &str) -> Option<String> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, value)| (*value).to_owned())
    }

    fn list(&self, key: &str) -> Vec<String> {
        self.get(key).iter().flat_map(|list| list.split(',')).map(str::to_owned).collect()
    }
}

/// Records from one piece of text for each, such as `location ams in=nl; device d1 in=ams tenant=acme tags=red,blue
/// master=d0 primary=10.0.0.1 peers=d2; interface d1/eth0; address 10.0.0.1 on=d1/eth0; note n text=hello`.
pub(crate) fn net(text: &str) -> Net {
    let mut net = Net::default();
    for line in text.split(';').map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let (model, name) = (words.next().unwrap(), words.next().unwrap().to_owned());
        let values = Values(words.map(|word| word.split_once('=').unwrap()).collect());
        let pair = |text: &str| text.split_once('/').map(|(one, other)| (one.to_owned(), other.to_owned())).unwrap();
        match model {
            "tenant" => net.tenants.insert(Tenant { name, code: values.get("code") }),
            "tag" => net.tags.insert(Tag { name, color: values.get("color") }),
            "location" => {
                net.locations.insert(Location { name, within: values.get("in"), kind: values.get("kind") });
            }
            "device" => net.devices.insert(Device {
                name,
                location: values.get("in").unwrap(),
                tenant: values.get("tenant"),
                tags: values.list("tags"),
                master: values.get("master"),
                primary: values.get("primary"),
                peers: values.list("peers"),
                serial: values.get("serial"),
                password: values.get("password"),
                features: values.list("features"),
            }),
            "interface" => {
                let (device, name) = pair(&name);
                net.interfaces.insert(Interface {
                    device,
                    name,
                    mtu: values.get("mtu").map(|mtu| mtu.parse().unwrap()),
                });
            }
            "address" => {
                let (device, interface) = values.get("on").map(|on| pair(&on)).unzip();
                net.addresses.insert(Address { ip: name, device, interface, dns: values.get("dns") });
            }
            "note" => net.notes.insert(Note { name, text: values.get("text") }),
            _ => panic!("{line:?} is no record"),
        }
    }
    net
}
