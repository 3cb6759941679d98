//! The jobs that the program can run: those that are linked into it, and those of the programs in its jobs folder.

use std::path::PathBuf;

use diffsync_core::JobRegistry;
use diffsync_core::job::{Choices, DataMapping, JobEntry, JobInfo, VariableErrors, VariableSpec, VariableValues};
use diffsync_core::value::suggest;

use crate::program::{ProgramJob, Programs};

/// A job, wherever its code is. What a command line, a profile and a list need of it is the same for both.
#[derive(Clone, Copy)]
pub(crate) enum AnyJob<'a> {
    /// It is linked into this program.
    Linked(&'a JobEntry),
    /// It is in another program.
    Program(&'a ProgramJob),
}

impl<'a> AnyJob<'a> {
    /// The job's metadata.
    pub(crate) fn info(self) -> &'static JobInfo {
        match self {
            Self::Linked(job) => job.info(),
            Self::Program(job) => job.info(),
        }
    }

    /// The job's variables.
    pub(crate) fn variables(self) -> &'static [VariableSpec] {
        match self {
            Self::Linked(job) => job.variables(),
            Self::Program(job) => job.variables(),
        }
    }

    /// The names of its models.
    pub(crate) fn models(self) -> Vec<&'static str> {
        match self {
            Self::Linked(job) => job.models().iter().map(|schema| schema.name).collect(),
            Self::Program(job) => job.models().to_vec(),
        }
    }

    /// Its models, with their source and target.
    pub(crate) fn data_mappings(self) -> Vec<DataMapping> {
        match self {
            Self::Linked(job) => job.data_mappings(),
            Self::Program(job) => job.data_mappings().to_vec(),
        }
    }

    /// The choices for a variable that only the job itself knows.
    pub(crate) fn choices<'values>(self, variable: &str, values: &'values VariableValues) -> Option<Choices<'values>> {
        match self {
            Self::Linked(job) => job.choices(variable, values),
            Self::Program(_) => None,
        }
    }

    /// What the job itself finds wrong with the values of its variables. Another program checks them when it runs.
    pub(crate) fn wrong_values(self, values: &VariableValues) -> Option<VariableErrors> {
        match self {
            Self::Linked(job) => job.prepare(values).err(),
            Self::Program(_) => None,
        }
    }

    /// The job, if it is linked in, for a command that needs more of it than another program tells.
    pub(crate) fn linked(self, command: &str) -> Result<&'a JobEntry, String> {
        match self {
            Self::Linked(job) => Ok(job),
            Self::Program(job) => {
                let (id, path) = (job.info().id, job.path().display());
                Err(format!(
                    "the job `{id}` is in the job program `{path}`, whose jobs this program can list, show and run\n\
                     if it is built on diffsync, `{path} {command} …` does it"
                ))
            }
        }
    }
}

/// The jobs that the program can run.
#[derive(Default)]
pub(crate) struct Jobs {
    linked: JobRegistry,
    programs: Programs,
    /// The jobs folder, if there is one.
    root: Option<PathBuf>,
    /// The ids of several jobs, with the error for who names one.
    ambiguous: Vec<(&'static str, String)>,
    /// Whether every program of the folder has told its jobs.
    is_complete: bool,
}

impl Jobs {
    /// The linked jobs, and those of the programs in the folder. The programs are asked only if the command needs their jobs.
    pub(crate) fn new(linked: JobRegistry, root: Option<PathBuf>, asks: bool) -> Self {
        let programs = match &root {
            Some(root) if asks => Programs::ask(root),
            _ => Programs::default(),
        };
        let is_complete = root.is_none() || (asks && programs.problems.is_empty());
        let mut jobs = Self { linked, programs, root, ambiguous: Vec::new(), is_complete };
        jobs.ambiguous = jobs.same_ids();
        jobs
    }

    /// The ids that several jobs have.
    fn same_ids(&self) -> Vec<(&'static str, String)> {
        let mut all: Vec<_> = self.all().collect();
        // Stable, so that a linked job comes first.
        all.sort_by_key(|job| job.info().id);
        let same = all.chunk_by(|job, other| job.info().id == other.info().id).filter(|same| same.len() > 1);
        let errors = same.filter_map(|same| {
            let id = same.first()?.info().id;
            let places: Vec<_> = same.iter().map(|job| place(*job)).collect();
            let error = format!(
                "{} jobs have the id `{id}`: {}; give one of them another id, or remove it",
                places.len(),
                places.join(", and ")
            );
            Some((id, error))
        });
        errors.collect()
    }

    fn all(&self) -> impl Iterator<Item = AnyJob<'_>> {
        self.linked.iter().map(AnyJob::Linked).chain(self.programs.jobs.iter().map(AnyJob::Program))
    }

    /// The linked jobs.
    pub(crate) fn linked(&self) -> &JobRegistry {
        &self.linked
    }

    /// The jobs that can be named, sorted by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = AnyJob<'_>> {
        let mut jobs: Vec<_> = self.all().filter(|job| !self.is_ambiguous(job.info().id)).collect();
        jobs.sort_by_key(|job| job.info().id);
        jobs.into_iter()
    }

    /// The job with this id.
    ///
    /// # Errors
    ///
    /// If there is none, with the nearest id and the programs that did not tell their jobs, or if there are several.
    pub(crate) fn get(&self, id: &str) -> Result<AnyJob<'_>, String> {
        if let Some((_, error)) = self.ambiguous.iter().find(|(same, _)| *same == id) {
            return Err(error.clone());
        }
        if let Some(job) = self.all().find(|job| job.info().id == id) {
            return Ok(job);
        }

        let near = suggest(id, self.all().map(|job| job.info().id));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        let problems =
            self.programs.problems.iter().fold(String::new(), |problems, problem| problems + "\nerror: " + problem);
        Err(format!("there is no job `{id}`{near}{problems}"))
    }

    /// Whether several jobs have this id, so that none can be named.
    pub(crate) fn is_ambiguous(&self, id: &str) -> bool {
        self.ambiguous.iter().any(|(same, _)| *same == id)
    }

    /// What keeps jobs of the folder from being listed.
    pub(crate) fn problems(&self) -> impl Iterator<Item = &str> {
        self.programs.problems.iter().chain(self.ambiguous.iter().map(|(_, error)| error)).map(String::as_str)
    }

    /// Whether all jobs are known, so that one that is not known does not exist.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The jobs folder.
    pub(crate) fn root(&self) -> Option<&PathBuf> {
        self.root.as_ref()
    }
}

/// Where a job is defined, in words.
fn place(job: AnyJob<'_>) -> String {
    let info = job.info();
    match job {
        AnyJob::Linked(_) => format!("one is linked into this program ({})", info.defined_at),
        AnyJob::Program(job) => format!("one is in `{}`", job.path().display()),
    }
}

impl From<JobRegistry> for Jobs {
    fn from(linked: JobRegistry) -> Self {
        Self::new(linked, None, false)
    }
}
