//! Random trees of sites, devices and interfaces: two sides made from one by changing, dropping, moving and adding.
//!
//! The same seed makes the same trees on every machine.

use serde_json::{Value, json};

/// A tree. Its records find their parents by keys that no data set shows, so that names can be anything.
#[derive(Clone, Default)]
pub(super) struct Tree {
    pub(super) sites: Vec<Site>,
    pub(super) vlans: Vec<Vlan>,
    pub(super) devices: Vec<Device>,
    pub(super) interfaces: Vec<Interface>,
    keys: u32,
}

#[derive(Clone)]
pub(super) struct Site {
    key: u32,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) asn: Option<i64>,
    pub(super) latitude: f64,
}

#[derive(Clone)]
pub(super) struct Vlan {
    pub(super) site: u32,
    pub(super) number: i64,
}

#[derive(Clone)]
pub(super) struct Device {
    key: u32,
    pub(super) site: u32,
    pub(super) name: String,
    pub(super) serial: Option<String>,
    pub(super) height: i64,
    pub(super) weight: Option<f64>,
    pub(super) managed: bool,
    pub(super) roles: Vec<String>,
    pub(super) custom: Value,
}

#[derive(Clone)]
pub(super) struct Interface {
    pub(super) device: u32,
    pub(super) name: String,
    pub(super) enabled: bool,
    pub(super) mtu: Option<i64>,
    pub(super) speed: u64,
    pub(super) addresses: Vec<String>,
}

/// How much a side differs from the tree it was made from, in percent of the records.
struct Habits {
    change: usize,
    loss: usize,
    moves: usize,
    growth: usize,
}

/// Source and target of a seed, at the first or a later attempt. With `by_place`, names need to differ only from those
/// beside them.
pub(super) fn sides(seed: u64, attempt: u64, by_place: bool) -> (Tree, Tree) {
    let mut dice = Dice(seed | attempt << 32);
    let mut base = Tree::default();
    let sites = if seed % 8 == 7 { 6 + dice.below(9) } else { dice.below(6) };
    for _ in 0..sites {
        base.add_site(&mut dice, by_place);
    }
    let mut rate = |rates: [usize; 4]| *dice.pick(&rates);
    let habits = Habits {
        change: rate([0, 3, 15, 60]),
        loss: rate([0, 3, 10, 40]),
        moves: rate([0, 0, 5, 25]),
        growth: rate([0, 0, 10, 40]),
    };
    match seed % 25 {
        0 => (Tree::default(), Tree::default()),
        1 => (base, Tree::default()),
        2 => (Tree::default(), base),
        3 => (base.clone().shuffled(&mut dice), base),
        _ => {
            let source = base.side(&mut dice, &habits, by_place);
            (source, base.side(&mut dice, &habits, by_place))
        }
    }
}

impl Tree {
    pub(super) fn site_name(&self, key: u32) -> String {
        let site = self.sites.iter().find(|site| site.key == key);
        site.expect("a record goes when its parent goes").name.clone()
    }

    pub(super) fn device(&self, key: u32) -> &Device {
        self.devices.iter().find(|device| device.key == key).expect("a record goes when its parent goes")
    }

    fn side(&self, dice: &mut Dice, habits: &Habits, by_place: bool) -> Self {
        let mut side = self.clone();
        side.lose(dice, habits);
        side.rearrange(dice, habits, by_place);
        side.change(dice, habits);
        side.grow(dice, habits, by_place);
        // Many systems list their records in the same order.
        if dice.percent(50) { side.shuffled(dice) } else { side }
    }

    /// Drops records, and all that lives under them.
    fn lose(&mut self, dice: &mut Dice, habits: &Habits) {
        let Self { sites, vlans, devices, interfaces, .. } = self;
        sites.retain(|_| !dice.percent(habits.loss / 2));
        let site_stays = |key| sites.iter().any(|site| site.key == key);
        vlans.retain(|vlan| site_stays(vlan.site) && !dice.percent(habits.loss));
        devices.retain(|device| site_stays(device.site) && !dice.percent(habits.loss));
        let device_stays = |key| devices.iter().any(|device| device.key == key);
        interfaces.retain(|interface| device_stays(interface.device) && !dice.percent(habits.loss));
    }

    /// Moves devices and interfaces, unless one of that name is there already.
    fn rearrange(&mut self, dice: &mut Dice, habits: &Habits, by_place: bool) {
        let Self { sites, devices, interfaces, .. } = self;
        for at in 0..devices.len() {
            if dice.percent(habits.moves) {
                let (site, name) = (dice.pick(sites).key, &devices[at].name);
                if !by_place || !devices.iter().any(|other| other.site == site && other.name == *name) {
                    devices[at].site = site;
                }
            }
        }
        for at in 0..interfaces.len() {
            if dice.percent(habits.moves) {
                let (device, name) = (dice.pick(devices).key, &interfaces[at].name);
                if !by_place || !interfaces.iter().any(|other| other.device == device && other.name == *name) {
                    interfaces[at].device = device;
                }
            }
        }
    }

    fn change(&mut self, dice: &mut Dice, habits: &Habits) {
        for site in dice.some(&mut self.sites, habits.change) {
            match dice.below(3) {
                0 => site.description = dice.text(),
                1 => site.asn = dice.maybe(Dice::integer),
                _ => site.latitude = dice.float(),
            }
        }
        for device in dice.some(&mut self.devices, habits.change) {
            match dice.below(6) {
                0 => device.serial = dice.maybe(Dice::text),
                1 => device.height = dice.integer(),
                2 => device.weight = dice.maybe(Dice::float),
                3 => device.managed = !device.managed,
                4 => device.roles = dice.texts(),
                _ => device.custom = dice.json(),
            }
        }
        for interface in dice.some(&mut self.interfaces, habits.change) {
            // Some records differ in more than one attribute.
            for _ in 0..=dice.below(2) {
                match dice.below(4) {
                    0 => interface.enabled = !interface.enabled,
                    1 => interface.mtu = dice.maybe(Dice::integer),
                    2 => interface.speed = dice.integer().unsigned_abs(),
                    _ => interface.addresses = dice.texts(),
                }
            }
        }
    }

    /// Adds records at every level.
    fn grow(&mut self, dice: &mut Dice, habits: &Habits, by_place: bool) {
        for site in self.sites.iter().map(|site| site.key).collect::<Vec<_>>() {
            if dice.percent(habits.growth) {
                self.add_device(dice, site, by_place);
            }
        }
        for device in self.devices.iter().map(|device| device.key).collect::<Vec<_>>() {
            if dice.percent(habits.growth) {
                self.add_interface(dice, device, by_place);
            }
        }
        if dice.percent(habits.growth) {
            self.add_site(dice, by_place);
        }
    }

    fn key(&mut self) -> u32 {
        self.keys += 1;
        self.keys
    }

    fn add_site(&mut self, dice: &mut Dice, by_place: bool) {
        let name = dice.name(|name| self.sites.iter().any(|site| site.name == name));
        let key = self.key();
        let (description, asn, latitude) = (dice.text(), dice.maybe(Dice::integer), dice.float());
        self.sites.push(Site { key, name, description, asn, latitude });
        for _ in 0..dice.below(4) {
            let number = dice.integer();
            if !self.vlans.iter().any(|vlan| vlan.site == key && vlan.number == number) {
                self.vlans.push(Vlan { site: key, number });
            }
        }
        for _ in 0..dice.below(7) {
            self.add_device(dice, key, by_place);
        }
    }

    fn add_device(&mut self, dice: &mut Dice, site: u32, by_place: bool) {
        let name = dice
            .name(|name| self.devices.iter().any(|device| (!by_place || device.site == site) && device.name == name));
        let key = self.key();
        self.devices.push(Device {
            key,
            site,
            name,
            serial: dice.maybe(Dice::text),
            height: dice.integer(),
            weight: dice.maybe(Dice::float),
            managed: dice.percent(50),
            roles: dice.texts(),
            custom: dice.json(),
        });
        for _ in 0..dice.below(9) {
            self.add_interface(dice, key, by_place);
        }
    }

    fn add_interface(&mut self, dice: &mut Dice, device: u32, by_place: bool) {
        let name = dice.name(|name| {
            let mut beside = self.interfaces.iter().filter(|other| !by_place || other.device == device);
            beside.any(|other| other.name == name)
        });
        let (enabled, mtu) = (dice.percent(50), dice.maybe(Dice::integer));
        let (speed, addresses) = (dice.integer().unsigned_abs(), dice.texts());
        self.interfaces.push(Interface { device, name, enabled, mtu, speed, addresses });
    }

    fn shuffled(mut self, dice: &mut Dice) -> Self {
        dice.shuffle(&mut self.sites);
        dice.shuffle(&mut self.vlans);
        dice.shuffle(&mut self.devices);
        dice.shuffle(&mut self.interfaces);
        self
    }
}

/// Texts that have made trouble somewhere: separators, quotes, what other languages take for nothing or for numbers,
/// two ways to write one letter, two letters that are one in capitals, right-to-left marks and control characters.
const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "b",
    "sw",
    "Berlin",
    "_",
    "__",
    "a_",
    "_a",
    "a__b",
    "é",
    "e\u{301}",
    "ß",
    "SS",
    "ss",
    "東京",
    "🛰️",
    "\u{202e}abc",
    "say \"hi\"",
    "\"",
    "it's",
    "back\\slash",
    "two\nlines",
    "tab\t",
    "\r\n",
    "\u{0}",
    "\u{7f}",
    "null",
    "None",
    "true",
    "True",
    "0",
    "1",
    "01",
    "1.0",
    "-1",
    "NaN",
    "+",
    "-",
    "{\"a\": 1}",
    "[]",
    "%s",
    "$HOME",
    "../..",
    " padded ",
    "\u{feff}",
    "\u{2028}",
    "\u{10ffff}",
    "ﬁ",
];

/// Those that are another of them but for case or outer space.
const TWINS: &[&str] = &[" ", "\r\n", "\u{2028}", "SS", "True"];

const INTEGERS: &[i64] = &[0, 1, -1, 2, 64, 1500, 9000, i64::MIN, i64::MAX, -(1 << 53) - 1, (1 << 53) + 1, 1 << 32];

const FLOATS: &[f64] = &[0.0, -0.0, 1.0, -1.5, 0.1, 0.1 + 0.2, 52.52, 1e16, 1e22, 1e-7, 5e-324, f64::MAX, f64::MIN];

/// Splitmix64: small, and good enough to be fair.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    #[allow(clippy::cast_possible_truncation, reason = "it is below the limit, which is a `usize`")]
    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub(super) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// About so many percent of the items.
    fn some<'a, T>(&mut self, items: &'a mut [T], chance: usize) -> Vec<&'a mut T> {
        items.iter_mut().filter(|_| self.percent(chance)).collect()
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }

    fn maybe<T>(&mut self, draw: fn(&mut Self) -> T) -> Option<T> {
        if self.percent(30) { None } else { Some(draw(self)) }
    }

    /// One of the texts, or two or three of them together.
    fn text(&mut self) -> String {
        let mut text = (*self.pick(TEXTS)).to_owned();
        while self.percent(35) {
            text += *self.pick(&["", "__", "_", " ", "-", "/"]);
            text += *self.pick(TEXTS);
        }
        text
    }

    fn texts(&mut self) -> Vec<String> {
        (0..self.below(4)).map(|_| self.text()).collect()
    }

    /// A text that is not taken, and that differs from all others in more than case and outer space: the two part ways on
    /// those, which is a test of its own.
    fn name(&mut self, taken: impl Fn(&str) -> bool) -> String {
        let mut name = self.text();
        // A longer text that another could equal but for case or outer space is not taken.
        let is_plain = |name: &str| TEXTS.contains(&name) || name == name.trim().to_lowercase();
        while TWINS.contains(&name.as_str()) || !is_plain(&name) {
            name = self.text();
        }
        while taken(&name) {
            name.push_str(&self.below(10).to_string());
        }
        name
    }

    fn integer(&mut self) -> i64 {
        match self.below(3) {
            0 => self.next().cast_signed(),
            1 => self.next().cast_signed() % 5000,
            _ => *self.pick(INTEGERS),
        }
    }

    /// Any number but a NaN, on which the two part ways.
    fn float(&mut self) -> f64 {
        let any = f64::from_bits(self.next());
        if self.percent(30) && any.is_finite() { any } else { *self.pick(FLOATS) }
    }

    /// A document. None of these equal in Python what they differ from in JSON, as `1` and `true` would.
    fn json(&mut self) -> Value {
        match self.below(9) {
            0 => Value::Null,
            1 => json!(self.text()),
            2 => json!(self.texts()),
            3 => json!({}),
            4 => json!([]),
            5 => json!({ self.text(): self.text(), "nested": [null, { "deep": self.texts() }] }),
            6 => json!(self.percent(50)),
            7 => json!([7, [7, -7]]),
            _ => json!({ "a": 7 }),
        }
    }
}
