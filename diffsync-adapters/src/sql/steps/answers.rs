//! The results for the records of a batch in which some may be refused before the write.

use diffsync_core::adapter::TargetError;

/// An answer for each record of a batch, in its order.
pub(crate) type RecordResults<R> = Vec<Result<R, TargetError>>;

/// The records that may be written, and for each of all why it may not.
pub(crate) fn apart<'m, M>(
    records: &[&'m M],
    refused: impl Fn(&&'m M) -> Option<TargetError>,
) -> (Vec<&'m M>, Vec<Option<TargetError>>) {
    let refused: Vec<Option<TargetError>> = records.iter().map(refused).collect();
    let free = records.iter().zip(&refused).filter(|(_, refused)| refused.is_none());
    (free.map(|(record, _)| *record).collect(), refused)
}

/// The answers for all records: those of what was written, in the places of what was not refused.
pub(crate) fn together<R>(
    written: Vec<Result<R, TargetError>>,
    refused: Vec<Option<TargetError>>,
) -> Vec<Result<R, TargetError>> {
    let mut written = written.into_iter();
    let lost = || Err(TargetError::new("there is no answer for the record"));
    refused.into_iter().map(|refused| refused.map_or_else(|| written.next().unwrap_or_else(lost), Err)).collect()
}

/// The answer for the only record.
pub(crate) fn only<R>(mut answers: Vec<Result<R, TargetError>>) -> Result<R, TargetError> {
    answers.pop().unwrap_or_else(|| Err(TargetError::new("there is no answer for the record")))
}
