//! The values of a model's fields in Arrow's columns.
//!
//! If the column has the field's type, values are converted directly, not through another type that may not hold them.

use std::fmt::Display;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, make_array};
use arrow_schema::{DataType, FieldRef, Schema};
use diffsync_core::value::exposed;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_arrow::deserializer::DeserializerItem;
use serde_arrow::utils::Item;
use serde_arrow::{ArrayBuilder, Deserializer};

use crate::file::formats::json;
use crate::file::formats::text::text_of_datum;
use crate::file::model::FileModel;
use crate::file::model::row::{CellError, RowReader};
use crate::file::model::schema::Column;
use crate::file::model::shape::Kind;
use crate::file::model::values::both;
use crate::nested::change::{Change, in_place, knows_less};
use crate::nested::datum::Datum;

/// The encoding of a field's values in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// The same type, without loss.
    Exact,
    /// Converted to the column's type, such as a text to a date, or to a number with a fixed number of decimals.
    Converted,
    /// Converted to the column's type, and read as a plain value that need not be of the field's type.
    Plain,
    /// JSON in a text.
    Json,
}

/// How the values of the model's fields are kept.
pub(crate) fn codings<M: FileModel>(schema: &Schema) -> Vec<Coding> {
    let coding = |column: &Column| {
        schema.field_with_name(column.name).map_or(Coding::Plain, |field| coding(column, field.data_type()))
    };
    M::FILE.columns.iter().map(coding).collect()
}

fn coding(column: &Column, there: &DataType) -> Coding {
    let kind = (column.shape)().kind;
    let own = (column.arrow)().map(|field| field.data_type().clone());
    let is_text = |it: &DataType| matches!(it, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    match own {
        _ if is_text(there) && !matches!(kind, Kind::Text | Kind::Variant) => Coding::Json,
        _ if is_text(there) => Coding::Exact,
        Some(own) if own == *there => Coding::Exact,
        Some(own) if own.is_integer() && there.is_integer() => Coding::Converted,
        Some(own) if own.is_floating() && there.is_floating() => Coding::Converted,
        _ if kind == Kind::Text => Coding::Converted,
        _ => Coding::Plain,
    }
}

/// The type as which a column is read and written, which is its own but for the name of a time zone: the values are those
/// of UTC in either case.
fn codec_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("UTC".into())),
        other => other.clone(),
    }
}

/// A column of one field, called as `Item` wants it.
fn item(field: &FieldRef) -> FieldRef {
    let data_type = codec_type(field.data_type());
    Arc::new(arrow_schema::Field::new("item", data_type, field.is_nullable()).with_metadata(field.metadata().clone()))
}

/// The same values as another type of the same form.
fn retyped(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, String> {
    if array.data_type() == data_type {
        return Ok(Arc::clone(array));
    }
    let data = array.to_data().into_builder().data_type(data_type.clone()).build();
    data.map(make_array).map_err(|error| error.to_string())
}

/// The columns of a model in one batch, ready to be read.
pub(crate) struct Arrays(Vec<(FieldRef, [ArrayRef; 1])>);

impl Arrays {
    pub(crate) fn of(batch: &RecordBatch, positions: &[usize]) -> Result<Self, String> {
        let column = |&at: &usize| {
            let field = item(&batch.schema().fields()[at]);
            let array = retyped(batch.column(at), field.data_type())?;
            Ok((field, [array]))
        };
        positions.iter().map(column).collect::<Result<_, String>>().map(Self)
    }
}

/// The cells of one row after the other.
pub(crate) struct ArrowRows<'a> {
    columns: &'static [Column],
    cells: Vec<(Coding, Deserializer<'a>)>,
    count: usize,
    next: usize,
}

impl<'a> ArrowRows<'a> {
    pub(crate) fn of<M: FileModel>(arrays: &'a Arrays, codings: &[Coding]) -> Result<Self, String> {
        let cells = arrays.0.iter().zip(codings).map(|((field, array), coding)| {
            let cells = Deserializer::from_arrow(&[Arc::clone(field)], array);
            Ok((*coding, cells.map_err(|error| error.to_string())?))
        });
        let cells = cells.collect::<Result<Vec<_>, String>>()?;
        let count = arrays.0.first().map_or(0, |(_, [array])| array.len());
        Ok(Self { columns: M::FILE.columns, cells, count, next: 0 })
    }

    /// The one value of these arrays.
    pub(crate) fn single<T: DeserializeOwned>(arrays: &'a Arrays, coding: Coding) -> Result<T, String> {
        Self::alone(arrays, coding)?.read(0)
    }

    /// The first row of these arrays, which have one column.
    fn alone(arrays: &'a Arrays, coding: Coding) -> Result<Self, String> {
        let (field, array) = arrays.0.first().ok_or("is missing")?;
        let cells = Deserializer::from_arrow(&[Arc::clone(field)], array).map_err(|error| error.to_string())?;
        Ok(Self { columns: &[], cells: vec![(coding, cells)], count: 1, next: 1 })
    }

    /// Goes to the next row, if there is one.
    pub(crate) fn advance(&mut self) -> bool {
        self.next += 1;
        self.next <= self.count
    }

    /// The value of a column in this row.
    pub(crate) fn read<T: DeserializeOwned>(&self, column: usize) -> Result<T, String> {
        let Some((coding, cell)) = self.cell(column) else { return Err("is missing".to_owned()) };
        let wrong = |error: serde_arrow::Error| error.message().to_owned();
        match coding {
            Coding::Exact | Coding::Converted => Item::<T>::deserialize(cell).map(|Item(it)| it).map_err(|error| {
                // The error of a number that does not fit lacks the number, which the plain value contains.
                let plain = || T::deserialize(self.plain(column)?).err();
                plain().map_or_else(|| wrong(error), |plain| plain.to_string())
            }),
            Coding::Plain => {
                let Item(value) = Item::<Datum>::deserialize(cell).map_err(wrong)?;
                T::deserialize(value).map_err(|error| error.to_string())
            }
            Coding::Json => {
                let Item(text) = Item::<Option<String>>::deserialize(cell).map_err(wrong)?;
                let value = text.map_or(Datum::Null, |text| json::datum(&text).unwrap_or(Datum::Text(text)));
                T::deserialize(value).map_err(|error| error.to_string())
            }
        }
    }

    fn cell(&self, column: usize) -> Option<(Coding, DeserializerItem<'_, 'a>)> {
        let (coding, cells) = self.cells.get(column)?;
        Some((*coding, cells.get(self.next.checked_sub(1)?)?))
    }

    /// The replacement for a value with keys that the type does not know, so that these stay. `None` if the value has no such
    /// keys.
    pub(crate) fn kept<T>(&self, column: usize, old: &T, new: &T) -> Result<Option<Kept>, CellError>
    where
        T: Serialize + DeserializeOwned + PartialEq,
    {
        let text = match self.cell(column) {
            Some((Coding::Json, cell)) => Item::<Option<String>>::deserialize(cell).ok().and_then(|Item(text)| text),
            _ => None,
        };
        let written = match &text {
            Some(text) => json::datum(text).ok(),
            // A struct has all its keys in each row, those without a value too.
            None => self.plain(column).map(Datum::pruned),
        };
        let Some(written @ (Datum::List(_) | Datum::Map(_))) = written else { return Ok(None) };

        let failed = |what: &dyn Display| match self.columns.get(column) {
            Some(column) => CellError::in_column(column, what),
            None => CellError(what.to_string()),
        };
        let (before, after, is_set) = both(old, new)?;
        if text.is_none() && !knows_less(&written, &before) {
            return Ok(None);
        }

        let change = in_place(&written, before, after, is_set).map_err(|what| failed(&what))?;

        // A value that is another one as a whole keeps nothing of the old one.
        let Some(change @ (Change::Map { .. } | Change::List(_))) = change else { return Ok(None) };
        if let Some(text) = &text {
            return json::changed(text, &change).map(|text| Some(Kept::Text(text))).map_err(|error| failed(&error));
        }

        Ok(change.applied(&written).map(Kept::Value))
    }

    /// The value of a column, independent of the field's type.
    fn plain(&self, column: usize) -> Option<Datum> {
        Item::<Datum>::deserialize(self.cell(column)?.1).ok().map(|Item(value)| value)
    }

    fn is_null(&self, column: usize) -> bool {
        self.cell(column).is_some_and(|(_, cell)| {
            Item::<Option<serde::de::IgnoredAny>>::deserialize(cell).is_ok_and(|it| it.0.is_none())
        })
    }
}

impl RowReader for ArrowRows<'_> {
    fn take<T: DeserializeOwned>(&mut self, column: usize) -> Result<T, CellError> {
        self.read(column).map_err(|error| {
            let what = if self.is_null(column) { "is null".to_owned() } else { error };
            let column = self.columns.get(column);
            column.map_or_else(|| CellError(what.clone()), |column| CellError::in_column(column, &what))
        })
    }
}

/// A new value with the keys of the old one that the type does not know.
pub(crate) enum Kept {
    /// JSON for a column of texts.
    Text(String),
    /// The value itself.
    Value(Datum),
}

/// New values of one column.
pub(crate) struct NewColumn {
    column: &'static Column,
    field: FieldRef,
    coding: Coding,
    builder: ArrayBuilder,
}

impl NewColumn {
    pub(crate) fn of(column: &'static Column, field: &FieldRef, coding: Coding) -> Result<Self, String> {
        let builder =
            ArrayBuilder::from_arrow(&[item(field)]).map_err(|error| format!("`{}`: {error}", column.name))?;
        Ok(Self { column, field: Arc::clone(field), coding, builder })
    }

    pub(crate) fn push<T: Serialize>(&mut self, value: &T) -> Result<(), CellError> {
        let wrong = |error: String| CellError::in_column(self.column, error);
        let pushed = match self.coding {
            Coding::Json => {
                let value = Datum::of(value).map_err(wrong)?;
                let text = text_of_datum(&value, (self.column.shape)()).map_err(wrong)?;
                let text = (!value.is_null()).then_some(text);
                self.builder.push(Item(text))
            }
            Coding::Exact | Coding::Converted | Coding::Plain => self.builder.push(Item(exposed(value))),
        };

        pushed.map_err(|error| CellError::in_column(self.column, error.message()))
    }

    /// Adds a value with keys that the type does not know, if it comes back with all of them.
    pub(crate) fn push_kept(&mut self, kept: &Kept) -> Result<(), CellError> {
        let value = match kept {
            Kept::Text(text) => {
                return self
                    .builder
                    .push(Item(text))
                    .map_err(|error| CellError::in_column(self.column, error.message()));
            }
            Kept::Value(value) => value,
        };

        let is_kept = self.comes_back(value).map_err(|error| CellError::in_column(self.column, error))?;
        if !is_kept {
            let what =
                "holds keys that the model does not know, and they would not come back as they are; change it by hand";
            return Err(CellError::in_column(self.column, what));
        }

        self.builder.push(Item(value)).map_err(|error| CellError::in_column(self.column, error.message()))
    }

    /// Whether a value of this column is read as it was written.
    fn comes_back(&self, value: &Datum) -> Result<bool, String> {
        let mut alone = Self::of(self.column, &self.field, self.coding)?;
        alone.builder.push(Item(value)).map_err(|error| error.message().to_owned())?;
        let schema = Schema::new(vec![Arc::clone(&self.field)]);
        let batch = RecordBatch::try_new(schema.into(), vec![alone.take()?]).map_err(|error| error.to_string())?;
        let arrays = Arrays::of(&batch, &[0])?;
        // Not read as a type of its own, which would refuse a NaN.
        let found = ArrowRows::alone(&arrays, self.coding)?.plain(0).ok_or("cannot be read")?;
        Ok(found.pruned().agrees(&value.clone().pruned()))
    }

    /// The values that were pushed since the last time.
    pub(crate) fn take(&mut self) -> Result<ArrayRef, String> {
        let arrays = self.builder.to_arrow().map_err(|error| format!("`{}`: {error}", self.column.name))?;
        let array = arrays.into_iter().next().ok_or_else(|| format!("`{}` has no values", self.column.name))?;
        retyped(&array, self.field.data_type())
    }
}

/// Whether two values of a field are the same; a NaN is the same as a NaN.
pub(crate) fn same<T: PartialEq + Serialize>(one: &T, other: &T) -> bool {
    let plain = |value: &T| serde_json::to_value(exposed(value)).ok();
    one == other || (!equals_itself(one) && !equals_itself(other) && plain(one) == plain(other))
}

/// Not so if it holds a NaN.
#[allow(clippy::eq_op, reason = "that is the question")]
fn equals_itself<T: PartialEq>(value: &T) -> bool {
    value == value
}
