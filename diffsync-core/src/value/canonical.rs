//! Serialising values in a fixed order. The order of a hash set or a hash map differs between processes and copies, so
//! a file, a diff or a request would look changed when nothing is.
//!
//! Serde passes a set to a serializer like a list, except for the type of the iterator. A serializer in between can read
//! that type, at every depth of a value, even through aliases and structs.

use std::any::type_name;
use std::cmp::Ordering;
use std::fmt::Display;

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::{Number, Value};

/// A value that serialises with its sets and maps in a fixed order.
pub(crate) struct InOneOrder<T>(pub(crate) T);

impl<T: Serialize> Serialize for InOneOrder<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(Ordered(serializer))
    }
}

/// A serializer, or a part of one, that receives sets and maps in a fixed order.
struct Ordered<S>(S);

/// Generates functions that only pass a value on.
macro_rules! handed_on {
    ($($function:ident: $type:ty),* $(,)?) => {
        $(fn $function(self, value: $type) -> Result<S::Ok, S::Error> {
            self.0.$function(value)
        })*
    };
}

impl<S: Serializer> Serializer for Ordered<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Ordered<S::SerializeSeq>;
    type SerializeTuple = Ordered<S::SerializeTuple>;
    type SerializeTupleStruct = Ordered<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Ordered<S::SerializeTupleVariant>;
    type SerializeMap = Ordered<S::SerializeMap>;
    type SerializeStruct = Ordered<S::SerializeStruct>;
    type SerializeStructVariant = Ordered<S::SerializeStructVariant>;

    handed_on! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_f32: f32,
        serialize_f64: f64,
        serialize_char: char,
        serialize_str: &str,
        serialize_bytes: &[u8],
        serialize_unit_struct: &'static str,
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.0.serialize_none()
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.0.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_some(&InOneOrder(value))
    }

    fn serialize_unit_variant(self, name: &'static str, at: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.0.serialize_unit_variant(name, at, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_struct(name, &InOneOrder(value))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        at: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_variant(name, at, variant, &InOneOrder(value))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.0.serialize_seq(len).map(Ordered)
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.0.serialize_tuple(len).map(Ordered)
    }

    fn serialize_tuple_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.0.serialize_tuple_struct(name, len).map(Ordered)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        at: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.0.serialize_tuple_variant(name, at, variant, len).map(Ordered)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.0.serialize_map(len).map(Ordered)
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        self.0.serialize_struct(name, len).map(Ordered)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        at: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.0.serialize_struct_variant(name, at, variant, len).map(Ordered)
    }

    fn collect_seq<I>(self, elements: I) -> Result<S::Ok, S::Error>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        if is_hashed::<I>("HashSet") {
            let elements = sorted(elements, |element| element);
            return self.0.collect_seq(elements.into_iter().map(InOneOrder));
        }
        self.0.collect_seq(elements.into_iter().map(InOneOrder))
    }

    fn collect_map<K, V, I>(self, entries: I) -> Result<S::Ok, S::Error>
    where
        K: Serialize,
        V: Serialize,
        I: IntoIterator<Item = (K, V)>,
    {
        let in_order = |(key, value)| (InOneOrder(key), InOneOrder(value));
        if is_hashed::<I>("HashMap") {
            let entries = sorted(entries, |(key, _)| key);
            return self.0.collect_map(entries.into_iter().map(in_order));
        }
        self.0.collect_map(entries.into_iter().map(in_order))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

/// Whether the iterated type has the name of the standard library's hash set or map.
fn is_hashed<I>(name: &str) -> bool {
    let path = type_name::<I>().trim_start_matches('&');
    let path = path.split('<').next().unwrap_or_default();
    path.rsplit("::").next() == Some(name)
}

/// The elements, ordered by the JSON of their `key`.
fn sorted<I: IntoIterator, K: Serialize>(elements: I, key: impl Fn(&I::Item) -> &K) -> Vec<I::Item> {
    // A key that cannot be serialised fails later, when the value itself is serialised.
    let keyed = elements.into_iter().map(|element| {
        let written = serde_json::to_value(InOneOrder(key(&element))).unwrap_or_default();
        (written, element)
    });

    let mut keyed: Vec<(Value, I::Item)> = keyed.collect();
    keyed.sort_by(|(one, _), (other, _)| order(one, other));
    keyed.into_iter().map(|(_, element)| element).collect()
}

/// The order of JSON values: first by kind, then numbers by size, texts by their letters and lists by their elements.
pub(crate) fn order(one: &Value, other: &Value) -> Ordering {
    let kind = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    };

    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Number(one), Value::Number(other)) => {
            let whole = |number: &Number| number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
            let float = |number: &Number| number.as_f64().unwrap_or_default();
            match (whole(one), whole(other)) {
                (Some(one), Some(other)) => one.cmp(&other),
                (Some(one), None) => order_of_whole(one, float(other)),
                (None, Some(other)) => order_of_whole(other, float(one)).reverse(),
                // JSON has no NaN. Zeros of either sign are equal, as they are to an integer.
                (None, None) => float(one).partial_cmp(&float(other)).unwrap_or(Ordering::Equal),
            }
            .then_with(|| one.to_string().cmp(&other.to_string()))
        }
        (Value::String(one), Value::String(other)) => one.cmp(other),
        (Value::Array(one), Value::Array(other)) => {
            let mut each = one.iter().zip(other).map(|(one, other)| order(one, other));
            each.find(|order| order.is_ne()).unwrap_or_else(|| one.len().cmp(&other.len()))
        }
        (Value::Object(_), Value::Object(_)) => one.to_string().cmp(&other.to_string()),
        _ => kind(one).cmp(&kind(other)),
    }
}

/// The order of an integer and a float by size. Neither is rounded: otherwise all large integers with the same nearest
/// float would equal that float, and the order would not be total.
#[allow(clippy::cast_possible_truncation, reason = "it is known to fit, and the fraction is compared separately")]
fn order_of_whole(integer: i128, float: f64) -> Ordering {
    /// Larger than every integer of JSON, and small enough for an `i128`.
    const LIMIT: f64 = 1e30;

    if float.abs() >= LIMIT {
        return if float > 0.0 { Ordering::Less } else { Ordering::Greater };
    }

    let of_fraction = || 0.0.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal);
    integer.cmp(&(float as i128)).then_with(of_fraction)
}

/// Serialises the parts of a compound value, each in a fixed order.
macro_rules! parts {
    ($($trait:ident, $function:ident;)*) => {
        $(impl<S: $trait> $trait for Ordered<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn $function<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                self.0.$function(&InOneOrder(value))
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.0.end()
            }
        })*
    };
}

parts! {
    SerializeSeq, serialize_element;
    SerializeTuple, serialize_element;
    SerializeTupleStruct, serialize_field;
    SerializeTupleVariant, serialize_field;
}

/// Serialises the fields of a struct, each in a fixed order.
macro_rules! fields {
    ($($trait:ident),*) => {
        $(impl<S: $trait> $trait for Ordered<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), S::Error> {
                self.0.serialize_field(name, &InOneOrder(value))
            }

            fn skip_field(&mut self, name: &'static str) -> Result<(), S::Error> {
                self.0.skip_field(name)
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.0.end()
            }
        })*
    };
}

fields!(SerializeStruct, SerializeStructVariant);

impl<S: SerializeMap> SerializeMap for Ordered<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        self.0.serialize_key(&InOneOrder(key))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        self.0.serialize_value(&InOneOrder(value))
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), S::Error> {
        self.0.serialize_entry(&InOneOrder(key), &InOneOrder(value))
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.0.end()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap, HashSet};
    use std::hash::Hash;

    use proptest::prelude::*;

    use super::*;

    #[derive(serde::Serialize)]
    struct Nested {
        sets: Vec<Option<HashSet<u16>>>,
        map: HashMap<String, HashSet<String>>,
        list: Vec<u16>,
    }

    /// A set whose elements almost certainly come in another order than in an equal set.
    fn set<T: Eq + Hash>(elements: impl IntoIterator<Item = T>) -> HashSet<T> {
        elements.into_iter().collect()
    }

    fn json<T: Serialize>(value: &T) -> String {
        serde_json::to_string(&InOneOrder(value)).unwrap()
    }

    #[test]
    fn sets_and_maps_have_one_order_at_every_depth_and_lists_keep_theirs() {
        let nested = || Nested {
            sets: vec![Some(set((0..50).rev())), None],
            map: (0..9).map(|key| (key.to_string(), set(["b".into(), "a".into(), "c".into()]))).collect(),
            list: vec![3, 1, 2],
        };
        let numbers = (0..50).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
        let map = (0..9).map(|key| format!(r#""{key}":["a","b","c"]"#)).collect::<Vec<_>>().join(",");
        let expected = format!(r#"{{"sets":[[{numbers}],null],"map":{{{map}}},"list":[3,1,2]}}"#);
        assert_eq!(json(&nested()), expected);
        assert_eq!(json(&Some(Box::new(set([10, 9, -1])))), "[-1,9,10]");
        assert_eq!(json(&set([Some(2), None, Some(1)])), "[null,1,2]");
        assert_eq!(json(&set([vec![2], vec![1, 5], vec![1]])), "[[1],[1,5],[2]]");
    }

    #[test]
    fn numbers_are_compared_without_rounding() {
        use serde_json::json;

        let sorted = [
            json!(-1e300),
            json!(-1.5),
            json!(-1),
            json!(0),
            json!(0.5),
            json!(9_007_199_254_740_991_u64),
            json!(9_007_199_254_740_992_u64),
            json!(9_007_199_254_740_992.0),
            json!(9_007_199_254_740_993_u64),
            json!(u64::MAX),
            json!(1e300),
        ];
        for (at, one) in sorted.iter().enumerate() {
            for (other_at, other) in sorted.iter().enumerate() {
                assert_eq!(order(one, other), at.cmp(&other_at), "{one} {other}");
            }
        }
    }

    proptest! {
        /// A hash set serialises like the ordered set of the same elements, and everything else as usual.
        #[test]
        fn it_is_the_order_of_the_elements(numbers in prop::collection::vec(any::<i64>(), 0..40), texts in prop::collection::vec(".{0,4}", 0..40)) {
            let sorted: BTreeSet<_> = numbers.iter().collect();
            prop_assert_eq!(json(&set(&numbers)), serde_json::to_string(&sorted).unwrap());
            let sorted: BTreeSet<_> = texts.iter().collect();
            prop_assert_eq!(json(&set(&texts)), serde_json::to_string(&sorted).unwrap());
            prop_assert_eq!(json(&(&numbers, &texts)), serde_json::to_string(&(&numbers, &texts)).unwrap());
        }
    }
}
