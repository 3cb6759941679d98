//! Creates, updates and deletes records, a batch at a time.

use diffsync_core::ModelExt;
use diffsync_core::adapter::TargetError;

use super::answers::{RecordResults, together};
use super::write_rows::secrets;
use super::{cascade, create_tables, swap, write_rows};
use crate::sql::context::SqlContext;
use crate::sql::model::SqlModel;
use crate::sql::session::Writing;
use crate::sql::session::error::{WriteError, is_conflict};

/// Creates records.
pub(crate) async fn create<M: SqlModel>(context: &SqlContext, new: &[&M]) -> Result<RecordResults<M>, TargetError> {
    create_tables::create_tables(context).await?;
    let mut writing = context.session.begin().await?;
    let written = write_rows::insert(context, &mut *writing.connection, new).await;
    finish::<M, _>(context, writing, written, "create", new).await
}

/// Updates records.
pub(crate) async fn update<M: SqlModel>(
    context: &SqlContext,
    changes: &[(&M, &M::Patch)],
) -> Result<RecordResults<M>, TargetError> {
    let new: Vec<M> = changes.iter().map(|(old, patch)| old.patched(patch)).collect();
    let refs: Vec<&M> = new.iter().collect();

    let mut writing = context.session.begin().await?;
    let mut refused = match cascade::refused_updates(context, &mut *writing.connection, changes, &refs).await {
        Ok(refused) => refused,
        Err(error) => return finish(context, writing, Err(error), "update", &refs).await,
    };

    let is_free = |at: &usize| !refused.contains_key(at);
    let free: Vec<(&M, &M::Patch)> =
        (0..changes.len()).filter(is_free).filter_map(|at| changes.get(at).copied()).collect();
    let free_refs: Vec<&M> = (0..refs.len()).filter(is_free).filter_map(|at| refs.get(at).copied()).collect();

    let mut written = if free.is_empty() {
        Ok(Vec::new())
    } else {
        write_rows::update_rows(context, &mut *writing.connection, &free, &free_refs).await
    };

    if let Err(WriteError::Database(error)) = written {
        // One record of the batch may have the value that another gets.
        (writing, written) = match free[..] {
            [_, _, ..] if is_conflict(&error) => swap::swap(context, writing, error, &free, &free_refs).await?,
            _ => (writing, Err(error.into())),
        };
    }

    let written = written.map(|answers| together(answers, (0..changes.len()).map(|at| refused.remove(&at)).collect()));
    let answers = finish(context, writing, written, "update", &refs).await?;
    Ok(answers.into_iter().zip(new).map(|(answer, new)| answer.map(|stored| stored.unwrap_or(new))).collect())
}

/// Deletes records.
pub(crate) async fn delete<M: SqlModel>(context: &SqlContext, old: &[&M]) -> Result<RecordResults<()>, TargetError> {
    let mut writing = context.session.begin().await?;
    let written = cascade::delete_unless_cascading(context, &mut *writing.connection, old).await;
    finish(context, writing, written, "delete", old).await
}

/// Commits the batch, or rolls it back and returns the error.
async fn finish<M: SqlModel, R>(
    context: &SqlContext,
    writing: Writing<'_>,
    written: Result<RecordResults<R>, WriteError>,
    operation: &str,
    records: &[&M],
) -> Result<RecordResults<R>, TargetError> {
    let error = match written {
        Ok(answers) => {
            if answers.iter().any(Result::is_ok) {
                writing.commit().await?;
            } else {
                writing.undo(None).await?;
            }
            return Ok(answers);
        }
        Err(error) => error,
    };

    match error {
        WriteError::Known(error) => {
            writing.undo(None).await?;
            Err(error)
        }
        WriteError::Database(error) => {
            let secrets = secrets(records);
            let failure =
                context.server().write_error(&format!("{operation} in `{}`", M::TABLE.name), &error, &secrets);
            drop(secrets);
            writing.undo(Some(&error)).await?;
            Err(failure)
        }
    }
}
