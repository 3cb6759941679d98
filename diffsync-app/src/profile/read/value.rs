//! Values of a type, and what to write where a value has another type.

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::de::{DeInteger, DeTable, DeValue};

use super::{Item, Reader};
use crate::flags;

impl Reader<'_> {
    pub(super) fn table<'t, 'i>(&mut self, name: &str, item: &'t Item<'i>) -> Option<&'t DeTable<'i>> {
        match item.get_ref() {
            DeValue::Table(table) => Some(table),
            other => {
                self.mistake(item, format!("`{name}` must be a table, and is {}", found(other)));
                None
            }
        }
    }

    pub(super) fn text<'t>(&mut self, name: &str, item: &'t Item<'_>) -> Option<&'t str> {
        match item.get_ref() {
            DeValue::String(text) => Some(text),
            other => {
                self.mistake(item, format!("`{name}` must be a text in quotes, and is {}", found(other)));
                None
            }
        }
    }

    pub(super) fn boolean(&mut self, name: &str, item: &Item<'_>) -> Option<bool> {
        match item.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            other => {
                self.mistake(item, format!("`{name}` must be `true` or `false`, and is {}", found(other)));
                None
            }
        }
    }

    pub(super) fn number(&mut self, name: &str, item: &Item<'_>, range: RangeInclusive<usize>) -> Option<usize> {
        let number = match item.get_ref() {
            DeValue::Integer(number) => whole(number).and_then(|number| usize::try_from(number).ok()),
            _ => None,
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let most = if *range.end() == usize::MAX { "up".to_owned() } else { format!("to {}", range.end()) };
            self.mistake(item, format!("`{name}` must be a whole number from {} {most}", range.start()));
        }
        number
    }

    pub(super) fn duration(&mut self, name: &str, item: &Item<'_>) -> Option<Duration> {
        let duration = item.get_ref().as_str().and_then(|text| flags::duration(text).ok());
        if duration.is_none() {
            self.mistake(item, format!("`{name}` must be a duration such as \"90s\", \"15m\" or \"2h\""));
        }
        duration
    }

    pub(super) fn percent(&mut self, name: &str, item: &Item<'_>) -> Option<f64> {
        let text = match item.get_ref() {
            DeValue::Integer(number) => whole(number).map(|number| number.to_string()),
            DeValue::Float(number) => Some(number.as_str().to_owned()),
            DeValue::String(text) => Some(text.clone().into_owned()),
            _ => None,
        };
        let percent = text.and_then(|text| flags::percent(&text).ok());
        if percent.is_none() {
            self.mistake(item, format!("`{name}` must be a number of percent, from 0 to 100, as in `2.5`"));
        }
        percent
    }
}

/// A whole number, if it is not too large.
pub(super) fn whole(number: &DeInteger<'_>) -> Option<i128> {
    i128::from_str_radix(number.as_str(), number.radix()).ok()
}

/// The type of a value.
pub(super) fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
