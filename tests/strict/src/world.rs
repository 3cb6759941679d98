//! Models of every kind, and a data set of them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use diffsync_core::value::Secret;
use diffsync_core::{Dataset, SyncModel, Table};

/// A geographic region.
///
/// Named by [`Self::slug`] and shown as [`name`](Self::name).
#[derive(SyncModel, Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// What it is called in URLs; see also [`Self::name`].
    #[sync(id)]
    pub slug: String,
    /// What it is called by people who would not call it [`Self::slug`].
    pub name: String,
}

/// A country, which can move to another region.
#[derive(SyncModel, Debug, Clone, PartialEq)]
pub struct Country {
    /// Its code.
    #[sync(id)]
    pub code: String,
    /// The region that it lies in.
    #[sync(parent = Region)]
    pub region: RegionId,
    /// How many people live there, if anybody counted.
    pub population: Option<u64>,
    /// How many of them are happy.
    pub happiness: Option<f64>,
    /// What it is called in other languages.
    pub names: BTreeMap<String, String>,
    /// What kind of state it is.
    pub r#type: Option<String>,
    /// Who may change it.
    pub token: Secret<String>,
    /// The number that this side gave it.
    #[sync(local)]
    pub remote_id: Option<i64>,
}

/// A city: the same name in another country is another city.
#[derive(SyncModel, Debug, Clone)]
#[sync(name = "town")]
pub struct City {
    /// The country that it lies in.
    #[sync(id, parent = Country)]
    pub country: String,
    /// What it is called.
    #[sync(id)]
    pub name: String,
    /// The part of it that is meant, if not all.
    #[sync(id)]
    pub part: Option<u8>,
    /// Where its servers listen.
    pub addresses: Vec<IpAddr>,
}

/// A place in a place.
#[derive(SyncModel, Debug, Clone)]
pub struct Place {
    /// Its number.
    #[sync(id)]
    pub number: u32,
    /// The place that it lies in.
    #[sync(parent = Self)]
    pub within: Option<u32>,
}

/// A street of a city, and of no part of it.
#[derive(SyncModel, Debug, Clone)]
#[sync(parent(Quarter, r#type = kind, city = city))]
pub struct Street {
    /// The city that it lies in.
    #[sync(id)]
    pub city: String,
    /// What it is called.
    #[sync(id)]
    pub name: String,
    /// The kind of quarter that it lies in.
    pub kind: String,
}

/// A quarter of a city.
#[derive(SyncModel, Debug, Clone)]
pub struct Quarter {
    /// The city that it lies in.
    #[sync(id)]
    pub city: String,
    /// What people do there.
    #[sync(id)]
    pub r#type: String,
}

/// A word for things: there is nothing to say of it.
#[derive(SyncModel, Debug, Clone)]
pub struct Tag {
    /// The word.
    #[sync(id)]
    pub word: String,
}

/// Makes a model of as many attributes, whose types are its caller's words.
macro_rules! wide {
    ($(#[$attribute:meta])* $model:ident: $id:ty, $($(#[$doc:meta])* $field:ident: $kind:ty),* $(,)?) => {
        $(#[$attribute])*
        #[derive(SyncModel, Debug, Clone)]
        pub struct $model {
            /// Its number.
            #[sync(id)]
            pub number: $id,
            $(
                #[doc = concat!("The column `", stringify!($field), "`.")]
                $(#[$doc])*
                pub $field: $kind,
            )*
        }
    };
}

wide! {
    /// A row of a spreadsheet that grew.
    Row: u64,
    a0: u8, a1: u8, a2: u8, a3: u8, a4: u8, a5: u8, a6: u8, a7: u8, a8: u8, a9: u8,
    b0: u16, b1: u16, b2: u16, b3: u16, b4: u16, b5: u16, b6: u16, b7: u16, b8: u16, b9: u16,
    c0: String, c1: String, c2: String, c3: String, c4: String, c5: String, c6: String, c7: String, c8: String,
    c9: String,
    d0: Option<String>, d1: Option<String>, d2: Option<String>, d3: Option<String>, d4: Option<String>,
    d5: Option<String>, d6: Option<String>, d7: Option<String>, d8: Option<String>, d9: Option<String>,
    e0: f64, e1: f64, e2: f64, e3: f64, e4: f64, e5: f64, e6: f64, e7: f64, e8: f64, e9: f64,
    f0: Vec<f32>, f1: Vec<f32>, f2: Vec<f32>, f3: Vec<f32>, f4: Vec<f32>, f5: Vec<f32>, f6: Vec<f32>, f7: Vec<f32>,
    f8: Vec<f32>, f9: Vec<f32>,
    g0: bool, g1: bool, g2: bool, g3: bool, g4: bool, g5: bool, g6: bool, g7: bool, g8: bool, g9: bool,
}

wide! {
    /// Makes sure that types which a macro's caller wrote can be anything a field can be.
    Narrow: String,
    text: String,
    maybe: Option<String>,
    secret: Secret<String>,
    #[sync(local)]
    remote: Option<i64>,
}

/// Everything.
#[derive(Dataset, Debug, Default)]
pub struct World {
    /// The regions.
    pub regions: Table<Region>,
    /// The countries.
    pub countries: Table<Country>,
    /// The cities.
    pub cities: Table<City>,
    /// The places.
    pub places: Table<Place>,
    /// The quarters.
    pub quarters: Table<Quarter>,
    /// The streets.
    pub streets: Table<Street>,
    /// The tags.
    pub tags: Table<Tag>,
    /// The rows.
    pub rows: Table<Row>,
    /// What a macro made.
    pub narrow: Table<Narrow>,
}
