//! Values of every kind, and any number of them.

use std::collections::BTreeMap;
use std::fmt;

use diffsync_core::{Dataset, SyncModel, Table};
use serde_json::json;

use super::{plan_of, tree_of};

/// A reading of an instrument.
#[derive(SyncModel)]
struct Reading {
    #[sync(id)]
    number: u32,
    value: f64,
    history: Vec<Option<f32>>,
    limits: BTreeMap<String, f64>,
    unit: Option<String>,
    /// A value that JSON has no form for.
    odd: Odd,
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number)
    }
}

/// What serialises only as long as it is 0.
#[derive(Clone, PartialEq, serde::Deserialize)]
struct Odd(u8);

impl serde::Serialize for Odd {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 == 0 { serializer.serialize_u8(0) } else { Err(serde::ser::Error::custom("it is odd")) }
    }
}

#[derive(Dataset, Default)]
struct Readings {
    readings: Table<Reading>,
}

fn reading(value: f64, unit: Option<&str>) -> Reading {
    let history = vec![Some(1.0), None, Some(f32::NAN)];
    let limits = BTreeMap::from([("high".to_owned(), f64::NAN)]);
    Reading { number: 1, value, history, limits, unit: unit.map(Into::into), odd: Odd(0) }
}

#[test]
fn values_are_compared_as_what_they_are() {
    let check = |source, target, expected: &str| {
        assert_eq!(tree_of::<Readings, _>([source], [target]), expected);
    };
    check(reading(f64::NAN, None), reading(-f64::NAN, None), "(no differences)\n");
    check(reading(0.0, None), reading(-0.0, None), "(no differences)\n");
    check(reading(f64::NAN, None), reading(1.0, None), "~ reading 1\n    value: 1.0 -> null\n");
    check(reading(1.0, Some("")), reading(1.0, None), "~ reading 1\n    unit: null -> \"\"\n");
    check(reading(1.0, None), reading(1.0, Some("")), "~ reading 1\n    unit: \"\" -> null\n");
    check(reading(1.0, Some("m")), reading(1.0, Some("m")), "(no differences)\n");
    let mut other = reading(1.0, None);
    other.history.swap(0, 1);
    check(reading(1.0, None), other, "~ reading 1\n    history: [null,1.0,null] -> [1.0,null,null]\n");
}

#[test]
fn a_value_that_cannot_be_shown_hides_nothing_else() {
    let source = Reading { odd: Odd(1), ..reading(1.0, Some("m")) };
    let plan = plan_of::<Readings, _>([source], [reading(1.0, Some("km"))]);
    let odd = "(cannot be shown: it is odd)";
    assert_eq!(plan.tree().to_string(), format!("~ reading 1\n    unit: \"km\" -> \"m\"\n    odd: 0 -> \"{odd}\"\n"));
    assert_eq!(
        serde_json::to_value(plan.tree()).unwrap(),
        json!({"reading": {"1": {"+": {"unit": "m", "odd": odd}, "-": {"unit": "km", "odd": 0}}}})
    );
}

macro_rules! wide {
    ($($field:ident)*) => {
        /// What has more attributes than a word has bits.
        #[derive(SyncModel)]
        struct Wide {
            #[sync(id)]
            number: u32,
            $($field: bool,)*
        }

        /// A record of which these attributes are set.
        fn wide(number: u32, set: &[&str]) -> Wide {
            $(assert_eq!(stringify!($field).len(), 4);)*
            Wide { number, $($field: set.contains(&stringify!($field))),* }
        }
    };
}

wide! {
    a000 a001 a002 a003 a004 a005 a006 a007 a008 a009 a010 a011 a012 a013 a014 a015 a016 a017 a018 a019 a020 a021 a022
    a023 a024 a025 a026 a027 a028 a029 a030 a031 a032 a033 a034 a035 a036 a037 a038 a039 a040 a041 a042 a043 a044 a045
    a046 a047 a048 a049 a050 a051 a052 a053 a054 a055 a056 a057 a058 a059 a060 a061 a062 a063 a064 a065 a066 a067 a068
    a069 a070 a071 a072 a073 a074 a075 a076 a077 a078 a079 a080 a081 a082 a083 a084 a085 a086 a087 a088 a089 a090 a091
    a092 a093 a094 a095 a096 a097 a098 a099 a100 a101 a102 a103 a104 a105 a106 a107 a108 a109 a110 a111 a112 a113 a114
    a115 a116 a117 a118 a119 a120 a121 a122 a123 a124 a125 a126 a127 a128 a129
}

#[derive(Dataset, Default)]
struct Wides {
    wides: Table<Wide>,
}

#[test]
fn a_model_may_have_any_number_of_attributes() {
    assert_eq!(Wide::SCHEMA.attributes.len(), 130);
    let changed = [&["a000"][..], &[], &["a063", "a064"], &["a127", "a128"], &["a129"]];
    let source = (0..).zip(changed).map(|(number, set)| wide(number, set));
    let target = (0..).zip(changed).map(|(number, _)| wide(number, &[]));
    let lines = changed.iter().enumerate().filter(|(_, set)| !set.is_empty()).flat_map(|(number, set)| {
        let attributes = set.iter().map(|name| format!("    {name}: false -> true\n"));
        [format!("~ wide {number}\n")].into_iter().chain(attributes)
    });
    assert_eq!(tree_of::<Wides, _>(source, target), lines.collect::<String>());
}
