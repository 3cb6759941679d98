//! A folder of files, one for each model.
