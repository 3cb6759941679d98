//! What holds of saved plans for any two worlds, whatever fails.

use diffsync_core::ModelExt;
use std::collections::BTreeSet;

use diffsync_core::plan_file::DriftPolicy;
use diffsync_core::report::Status;
use proptest::prelude::*;

use crate::fake_target::{Rig, SyncWorlds, apply, locked};
use crate::plan_file::{apply_plan, drift, inverse, plan, read, undoable};
use crate::properties::{answers, worlds};
use crate::world::Records;

/// Each record with its values, as text.
fn shown(records: &Records) -> BTreeSet<(String, String)> {
    let regions = records.regions.iter().map(|its| (format!("region {}", its.id()), format!("{its:?}")));
    // `Debug` does not show the secret.
    let countries = records
        .countries
        .iter()
        .map(|its| (format!("country {}", its.id()), format!("{its:?} {}", its.community.expose())));
    let cities = records.cities.iter().map(|its| (format!("city {}", its.id()), format!("{its:?}")));
    let places = records.places.iter().map(|its| (format!("place {}", its.id()), format!("{its:?}")));
    regions.chain(countries).chain(cities).chain(places).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn carrying_out_a_plan_is_the_run_that_it_was_made_of(source in worlds(true), target in worlds(true)) {
        let direct = Rig::new(source.clone(), target.clone()).into_shared();
        prop_assert_eq!(direct.run(apply()).status, Status::Completed);
        let text = plan(&source, &target);
        prop_assert_eq!(&plan(&source, &target), &text);
        let saved = Rig::new(source, target).into_shared();
        let report = saved.run(apply_plan(apply(), &text, DriftPolicy::Refuse));
        let status = if read(&text).unwrap().operations() == 0 { Status::Completed } else { report.status };
        prop_assert_eq!((status, drift(&report)), (Status::Completed, vec![]));
        prop_assert_eq!(saved.calls(), direct.calls());
        prop_assert_eq!(saved.target_records().sorted(), direct.target_records().sorted());
    }

    #[test]
    fn nothing_is_done_that_is_not_in_the_plan(
        source in worlds(true),
        target in worlds(true),
        source_now in worlds(true),
        target_now in worlds(true),
    ) {
        let text = plan(&source, &target);
        let rig = Rig::new(source_now.clone(), target_now.clone()).into_shared();
        let report = rig.run(apply_plan(apply(), &text, DriftPolicy::Skip));
        // It is in the plan that was made, and it is in the one that would be made now.
        let lines = |text: &str| text.lines().filter(|line| line.starts_with("{\"op\"")).map(str::to_owned).collect::<BTreeSet<_>>();
        let now = plan(&source_now, &target_now);
        let both = lines(&text).intersection(&lines(&now)).count();
        prop_assert!(rig.calls().len() <= both);
        prop_assert_eq!(rig.calls().len() + report.counts.blocked + report.drift.len() + report.already_done, read(&text).unwrap().operations());
        let refused = Rig::new(source_now, target_now).into_shared();
        let report = refused.run(apply_plan(apply(), &text, DriftPolicy::Refuse));
        if !report.drift.is_empty() {
            prop_assert_eq!((report.status, refused.calls().len()), (Status::Refused, 0));
        }
    }

    #[test]
    fn taking_back_restores_all_but_what_is_named(
        source in worlds(true),
        target in worlds(true),
        answers in answers(),
        failing in any::<bool>(),
    ) {
        let rig = Rig::new(source, target.clone()).into_shared();
        if failing {
            // What was done and not told of cannot be taken back.
            locked(&rig.answers).extend(answers);
        }
        let report = rig.run(undoable());
        let Some(undo) = &report.undo else { return Ok(()) };
        let lost: BTreeSet<String> =
            undo.unrestorable.iter().filter_map(|lost| Some(format!("{} {}", lost.model, lost.record.as_ref()?))).collect();
        let text = inverse::<SyncWorlds>(&report, &undoable());
        locked(&rig.answers).clear();
        let report = rig.run(apply_plan(apply(), &text, DriftPolicy::Refuse));
        prop_assert_eq!(drift(&report), Vec::<String>::new());
        let (now, then) = (shown(&rig.target_records()), shown(&target));
        for (name, _) in now.symmetric_difference(&then) {
            prop_assert!(lost.contains(name), "{} of {:?} in {}", name, lost, text);
        }
    }
}
