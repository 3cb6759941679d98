//! Random networks: what is drawn decides everything, so that a failing case can be made smaller and repeated.

use diffsync_core::model::Flags;

use crate::net::{Address, Device, Interface, Location, Net, Note, Tag, Tenant};

/// Numbers that were drawn beforehand; nothing but zeros comes after them.
#[derive(Clone, Debug)]
pub(crate) struct Draw {
    numbers: Vec<u16>,
    at: usize,
}

impl Draw {
    pub(crate) fn new(numbers: Vec<u16>) -> Self {
        Self { numbers, at: 0 }
    }

    /// Many numbers, the same for each seed (xorshift64, Marsaglia 2003).
    pub(crate) fn seeded(seed: u64) -> Self {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let next = std::iter::repeat_with(move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            u16::try_from(state >> 48).unwrap()
        });
        Self::new(next.skip(8).take(1_000).collect())
    }

    fn next(&mut self) -> usize {
        self.at += 1;
        self.numbers.get(self.at - 1).copied().unwrap_or(0).into()
    }

    /// A number below another.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.next() % limit.max(1)
    }

    /// Whether something happens that happens so many times in a hundred.
    pub(crate) fn happens(&mut self, percent: usize) -> bool {
        self.next() % 100 >= 100 - percent
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }

    fn some_of(&mut self, all: &[String], percent: usize) -> Vec<String> {
        all.iter().filter(|_| self.happens(percent)).cloned().collect()
    }

    fn maybe(&mut self, all: &[String], percent: usize) -> Option<String> {
        if self.happens(percent) { self.one_of(all).cloned() } else { None }
    }

    fn value(&mut self) -> Option<String> {
        [None, Some("one".to_owned()), Some("other".to_owned())][self.below(3)].clone()
    }

    fn shuffled<T>(&mut self, mut all: Vec<T>) -> Vec<T> {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at + 1));
        }
        all
    }
}

fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}{number}")).collect()
}

/// A network, loaded in any order. In a sound one all that is named is there, and nothing is there twice or leads to
/// itself.
pub(crate) fn network(draw: &mut Draw, sound: bool) -> Net {
    let named = |all: &[String], there: &[String]| if sound { there.to_vec() } else { all.to_vec() };
    let (all_tenants, all_tags, all_places) = (names("t", 3), names("g", 3), names("l", 5));
    let (all_devices, all_ips) = (names("d", 5), names("a", 5));
    let tenants = draw.some_of(&all_tenants, 60);
    let tags = draw.some_of(&all_tags, 60);

    let mut locations: Vec<Location> = Vec::new();
    let chosen = draw.some_of(&all_places, 65);
    for name in draw.shuffled(chosen) {
        let there: Vec<_> = locations.iter().map(|location| location.name.clone()).collect();
        let within = draw.maybe(&named(&all_places, &there), 60);
        locations.push(Location { name, within, kind: draw.value() });
    }
    let places: Vec<_> = locations.iter().map(|location| location.name.clone()).collect();

    let mut devices: Vec<Device> = Vec::new();
    let chosen = draw.some_of(&all_devices, 65);
    for name in draw.shuffled(chosen) {
        let there: Vec<_> = devices.iter().map(|device| device.name.clone()).collect();
        let Some(location) = draw.one_of(&named(&all_places, &places)).cloned() else { continue };
        devices.push(Device {
            name,
            location,
            tenant: draw.maybe(&named(&all_tenants, &tenants), 40),
            tags: draw.some_of(&tags, 30),
            master: draw.maybe(&named(&all_devices, &there), 30),
            primary: None,
            peers: Vec::new(),
            serial: draw.value(),
            password: draw.value(),
            features: draw.value().into_iter().chain(draw.value()).collect(),
        });
    }
    let there: Vec<_> = devices.iter().map(|device| device.name.clone()).collect();

    let mut interfaces: Vec<Interface> = Vec::new();
    for device in named(&all_devices, &there) {
        for name in draw.some_of(&names("e", 2), 50) {
            interfaces.push(Interface { device: device.clone(), name, mtu: Some(1).filter(|_| draw.happens(50)) });
        }
    }
    let mut addresses: Vec<Address> = Vec::new();
    for ip in draw.some_of(&all_ips, 60) {
        let on = if draw.happens(60) { draw.one_of(&interfaces) } else { None };
        let (device, interface) = on.map(|on| (on.device.clone(), on.name.clone())).unzip();
        addresses.push(Address { ip, device, interface, dns: draw.value() });
    }
    let ips: Vec<_> = addresses.iter().map(|address| address.ip.clone()).collect();
    for device in &mut devices {
        device.primary = draw.maybe(&named(&all_ips, &ips), 50);
        device.peers = draw.some_of(&named(&all_devices, &there), 20);
    }

    let mut net = Net::default();
    let code = |draw: &mut Draw, name: String| Tenant { code: draw.value().map(|code| format!("{name}-{code}")), name };
    net.tenants.extend(tenants.into_iter().map(|name| code(draw, name)));
    net.tags.extend(tags.into_iter().map(|name| Tag { name, color: draw.value() }));
    net.locations.extend(draw.shuffled(locations));
    net.devices.extend(draw.shuffled(devices));
    net.interfaces.extend(draw.shuffled(interfaces));
    net.addresses.extend(draw.shuffled(addresses));
    let notes = draw.some_of(&names("n", 2), 50);
    net.notes.extend(notes.into_iter().map(|name| Note { name, text: draw.value() }));
    net
}

/// Gives the tenants codes any of which may be that of another tenant on the other side.
pub(crate) fn pass_codes_on(draw: &mut Draw, net: &mut Net) {
    let codes = draw.shuffled(names("code", 4));
    let tenants: Vec<Tenant> = net.tenants.iter().cloned().collect();
    for (tenant, code) in tenants.into_iter().zip(codes) {
        let code = Some(code).filter(|_| draw.happens(70));
        net.tenants.modify(&*tenant.name, |tenant| tenant.code = code);
    }
}

/// Some flags, mostly none.
pub(crate) fn flags(draw: &mut Draw, percent: usize) -> Flags {
    const EACH: [Flags; 6] = [
        Flags::SKIP_UNMATCHED_SRC,
        Flags::SKIP_UNMATCHED_DST,
        Flags::SKIP_UNMATCHED_BOTH,
        Flags::SKIP_CHILDREN_ON_DELETE,
        Flags::PREVENT_DESTROY,
        Flags::IGNORE,
    ];
    if draw.happens(percent) { EACH[draw.below(EACH.len())] } else { Flags::empty() }
}
