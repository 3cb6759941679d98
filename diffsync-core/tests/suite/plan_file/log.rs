//! The undo plan that is written while a run goes on: at any time it takes back what was done till then.

use std::io;
use std::sync::{Arc, Mutex};

use diffsync_core::Job;
use diffsync_core::plan_file::{DriftPolicy, PlanFileError, PlanKind, SavedPlan, UndoLog, UndoSink, approve};
use diffsync_core::report::{RunReport, Status};
use diffsync_core::run::RunOptions;

use crate::fake_network::{Answer, Handle, InLab, SyncBulk, SyncNets, apply, lab, lab_of};
use crate::fake_target::locked;
use crate::net::{Net, net};
use crate::plan_file::{apply_plan, key, read, signature};

/// What was written, and what the target held at that time.
struct Snapshots {
    lab: Handle,
    /// How often it can be written to.
    most: usize,
    lines: Mutex<Vec<u8>>,
    all: Mutex<Vec<(Vec<u8>, Net)>>,
}

impl UndoSink for Snapshots {
    fn append(&self, lines: &[u8]) -> io::Result<()> {
        let mut all = locked(&self.all);
        if all.len() >= self.most {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the disk is full"));
        }
        let mut text = locked(&self.lines);
        text.extend_from_slice(lines);
        all.push((text.clone(), self.lab.target()));
        Ok(())
    }
}

fn run<J: InLab>(lab: &Handle, most: usize) -> (RunReport, RunOptions, Arc<Snapshots>) {
    let snapshots = Snapshots { lab: lab.clone(), most, lines: Mutex::default(), all: Mutex::default() };
    let snapshots = Arc::new(snapshots);
    let mut options = apply();
    options.undo = Some(key());
    options.undo_log = Some(UndoLog::new(Arc::clone(&snapshots) as Arc<dyn UndoSink>));
    (lab.run::<J>(options.clone()).report, options, snapshots)
}

/// A log as it stands in a file.
fn text<J: Job>(report: &RunReport, options: &RunOptions, lines: &[u8]) -> String {
    let header = options.plan_header(&J::INFO, PlanKind::Undo, Vec::new(), signature("ada"), report.plan().unwrap());
    let header = UndoLog::header(&header).unwrap();
    String::from_utf8([&header[..], lines].concat()).unwrap()
}

/// Expects that a run which ends at any of its entries can be taken back from what was written till then.
#[track_caller]
fn check<J: InLab>(source: &str, target: &str, answer: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) {
    let before = lab(source, target);
    let lab = before.clone().answering(answer);
    let (report, options, snapshots) = run::<J>(&lab, usize::MAX);
    let all = std::mem::take(&mut *locked(&snapshots.all));
    assert!(!all.is_empty(), "nothing was written: {report:?}");
    for (lines, now) in all {
        let text = text::<J>(&report, &options, &lines);
        let plan = read(&text).unwrap();
        assert!(plan.header.unfinished && plan.unrestorable.is_empty(), "{:?}", plan.unrestorable);
        let lab = lab_of(net(target), now);
        if plan.operations() > 0 {
            let ended = lab.run::<SyncNets>(apply_plan(apply(), &text, DriftPolicy::Refuse)).report;
            assert_eq!(ended.status, Status::Completed, "{ended:?} {text}");
        }
        assert_eq!(lab.target().shown(), net(target).shown(), "{text}");
    }
}

#[test]
fn what_was_written_till_then_takes_back_what_was_done_till_then() {
    let always = |_: &str, _: usize| Answer::Do;
    let tags = |color: &str| (0..40).map(|at| format!("tag t{at} color={color}; ")).collect::<String>();
    check::<SyncNets>(&tags("new"), &tags("old"), always);
    check::<SyncBulk>(&tags("new"), "tag t1 color=old; tag gone", always);

    // Records that are written twice: references are set and taken back, and values are freed.
    let [source, target] = [
        "location l; device d in=l primary=1 peers=e; device e in=l peers=d; interface d/a; address 1 on=d/a",
        "location l; device f in=l primary=2; interface f/a; address 2 on=f/a; tag t",
    ];
    check::<SyncNets>(source, target, always);
    check::<SyncBulk>(source, target, always);
    check::<SyncNets>(source, target, |call, _| if call == "delete address 2" { Answer::Fail } else { Answer::Do });
    let [source, target] = ["tenant a code=2; tenant b code=1", "tenant a code=1; tenant b code=2"];
    check::<SyncNets>(source, target, always);
    // The value is given back.
    check::<SyncNets>(source, target, |call, times| match (call, times) {
        (_, 0 | 1) => Answer::Do,
        _ if times % 2 == 0 => Answer::Fail,
        _ => Answer::Do,
    });
}

#[test]
fn a_line_that_was_cut_off_is_left_out() {
    let lab = lab("tag a color=new; tag b color=new", "tag a color=old; tag b color=old");
    let (report, options, snapshots) = run::<SyncNets>(&lab, usize::MAX);
    let text = text::<SyncNets>(&report, &options, &locked(&snapshots.lines));
    assert_eq!(read(&text).unwrap().operations(), 2);
    assert_eq!(read(&text[..text.len() - 5]).unwrap().operations(), 1);
    // A plan as a whole has no such excuse.
    let whole = text.replacen(r#","unfinished":true"#, "", 1);
    assert_ne!(whole, text);
    assert_eq!(read(&whole).unwrap_err().to_string(), "the plan ends after line 3: it was cut off; create it again");
}

#[test]
fn a_run_that_can_no_longer_be_taken_back_ends() {
    let tags: String = (0..40).map(|at| format!("tag t{at}; ")).collect();
    let lab = lab(&tags, "");
    let (report, _, snapshots) = run::<SyncNets>(&lab, 2);
    assert_eq!(report.status, Status::Failed);
    let error = report.error_text().unwrap();
    assert!(error.contains("the undo plan cannot be written: the disk is full"), "{error}");
    assert!(report.counts.not_attempted > 0 && lab.calls().len() < 40, "{:?}", report.counts);
    assert_eq!(locked(&snapshots.all).len(), 2);
    // What was done is known all the same.
    assert_eq!(report.undo.unwrap().operations(), report.counts.created);
}

#[test]
fn an_unfinished_plan_is_not_approved_and_has_nothing_after_an_approval() {
    let lab = lab("tag a color=new; tag b color=new", "tag a color=old; tag b color=old");
    let (report, options, snapshots) = run::<SyncNets>(&lab, usize::MAX);
    let text = text::<SyncNets>(&report, &options, &locked(&snapshots.lines));
    for text in [&*text, &text[..text.len() - 5]] {
        let approved = approve(&mut text.as_bytes(), signature("bob"), &mut Vec::new());
        assert!(matches!(approved, Err(PlanFileError::Unfinished)), "{approved:?}");
    }

    let last = text.trim_end().rfind('\n').unwrap() + 1;
    let approval = "{\"approved\":{\"by\":\"bob\",\"at\":\"2026-01-01T00:00:00Z\"}}\n";
    let added = format!("{}{approval}{}", &text[..last], &text[last..]);
    assert_eq!(
        read(&added).unwrap_err().to_string(),
        "line 4 is not part of a plan: only approvals may follow an approval"
    );
}

#[test]
fn what_cannot_be_read_to_its_end_is_cut_off() {
    /// As a compressed file that was cut off.
    struct Cut;
    impl io::Read for Cut {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends within a block"))
        }
    }
    let lab = lab("tag a color=new; tag b color=new", "tag a color=old; tag b color=old");
    let (report, options, snapshots) = run::<SyncNets>(&lab, usize::MAX);
    let text = text::<SyncNets>(&report, &options, &locked(&snapshots.lines));
    let cut = |text: &str| SavedPlan::read(&mut io::BufReader::new(io::Read::chain(text.as_bytes(), Cut)));
    assert_eq!(cut(&text).unwrap().operations(), 2);
    assert_eq!(cut(&text[..text.len() - 5]).unwrap().operations(), 1);
    let whole = text.replacen(r#","unfinished":true"#, "", 1);
    assert!(matches!(cut(&whole), Err(PlanFileError::Io(_))));
}

#[test]
fn what_lives_under_the_twin_of_a_record_that_comes_back_stays() {
    // As if the run had not held the delete back: `Old` comes back, and what may be the same record is not deleted.
    let [source, target] = ["location oldd; location in in=oldd; device d in=in", "location Old"];
    let lab = lab(source, target);
    let (report, options, snapshots) = run::<SyncNets>(&lab, usize::MAX);
    let text = text::<SyncNets>(&report, &options, &locked(&snapshots.lines)).replace("oldd", "old");
    let lab = lab_of(net(target), net(&source.replace("oldd", "old")));
    let ended = lab.run::<SyncNets>(apply_plan(apply(), &text, DriftPolicy::Refuse));
    assert_eq!(ended.counts(), "1 created, 3 held");
}
