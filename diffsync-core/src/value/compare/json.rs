//! Free JSON: `3600` and `3600.0` are one number, as they are for most servers.

use serde_json::{Number, Value};

use super::Float;

impl Float for Value {
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => left == right || is_same_number(left, right),
            (Self::Array(left), Self::Array(right)) => {
                left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.same(right))
            }
            (Self::Object(left), Self::Object(right)) => {
                left.len() == right.len()
                    && left.iter().all(|(name, left)| right.get(name).is_some_and(|right| left.same(right)))
            }
            _ => self == other,
        }
    }
}

/// Whether an integer and a float are the same number. Neither is rounded for it: large integers that differ stay different.
#[allow(clippy::cast_possible_truncation, reason = "it was checked that nothing is cut off")]
fn is_same_number(left: &Number, right: &Number) -> bool {
    /// Floats below it that are whole fit into an `i128`.
    const LIMIT: f64 = 1e30;
    let integer = |number: &Number| number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    let float = |number: &Number| number.as_f64().filter(|_| number.is_f64());
    let is_same = |integer: i128, float: f64| float.fract() == 0.0 && float.abs() < LIMIT && float as i128 == integer;
    match (integer(left), integer(right)) {
        (Some(left), None) => float(right).is_some_and(|right| is_same(left, right)),
        (None, Some(right)) => float(left).is_some_and(|left| is_same(right, left)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Pair;
    use super::*;

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        let same = |left: Value, right: Value| {
            let there = Pair(&left, &right).same();
            assert_eq!(Pair(&Some(right), &Some(left)).same(), there);
            there
        };
        assert!(same(json!(3600), json!(3600.0)));
        assert!(same(json!({"vars": [1, {"ttl": -5.0}]}), json!({"vars": [1.0, {"ttl": -5}]})));
        assert!(same(json!(0), json!(-0.0)));
        assert!(!same(json!(3600), json!(3600.5)));
        assert!(!same(json!(3600), json!("3600")));
        assert!(!same(json!(1), json!(true)));
        assert!(!same(json!([1]), json!([1, 2])));
        assert!(!same(json!({"a": 1}), json!({"b": 1.0})));
        // The nearest float of both is the same.
        assert!(!same(json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992.0)));
        assert!(!same(json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992_u64)));
        assert!(!same(json!(1), json!(1e300)));
    }
}
