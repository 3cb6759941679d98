//! Random spellings: what is equal stays, and what may be equal is not deleted.

use super::*;

/// The letters of an identifier in some case, and space around them.
fn variant() -> impl Strategy<Value = (String, String)> {
    let letters = prop::sample::select(vec!["ams", "ber", "zürich", "straße", "fra__1", "ñ", "ǆ"]);
    (letters, prop::collection::vec(any::<bool>(), 12)).prop_map(|(letters, upper)| {
        let cased = letters.chars().zip(upper).map(|(letter, upper)| {
            // A letter that has no upper case of its own stays: what `ignore_case` compares is letter by letter.
            let other: Vec<char> = letter.to_uppercase().collect();
            match other.as_slice() {
                [other] if upper && other.to_lowercase().eq([letter]) => *other,
                _ => letter,
            }
        });
        (letters.to_owned(), cased.collect())
    })
}

fn padded() -> impl Strategy<Value = (String, String)> {
    (variant(), 0..3_usize, 0..3_usize).prop_map(|((letters, cased), before, after)| {
        (letters, format!("{}{cased}{}", " ".repeat(before), " ".repeat(after)))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Where case is ignored nothing is created beside its equal, nor is it deleted, whatever the spelling of names and
    /// of links to them.
    #[test]
    fn what_is_equal_is_neither_created_nor_deleted(
        names in prop::collection::vec((variant(), variant(), variant(), variant()), 0..6),
    ) {
        let (mut source, mut target) = (Plant::new(), Plant::new());
        // Links to a name in a spelling of their own: that of another record of the same name.
        let spelled = |letters: &str, at: usize| {
            let same = names.iter().filter(|(name, ..)| name.0 == letters).map(|(name, ..)| name.1.clone());
            same.cycle().nth(at).unwrap_or_else(|| letters.to_owned())
        };
        for (at, (name, ..)) in names.iter().enumerate() {
            let letters = &name.0;
            for (plant, spelling) in [(&mut source, &name.1), (&mut target, letters)] {
                if plant.sites.insert_if_absent(site(spelling)) {
                    let link = |more: usize| spelled(letters, at + more);
                    plant.racks.insert(rack(&link(0), 1));
                    plant.racks.insert(rack(&link(1), 2));
                    plant.slots.insert(slot(&link(2), 1, 7));
                    plant.devs.insert(Dev { peers: vec![spelling.to_uppercase().to_lowercase()], ..full_dev(spelling, &link(3), &link(4)) });
                }
            }
        }
        for plant in [&mut source, &mut target] {
            // What a name in capitals is in small letters need not be it again.
            let fix = plant.copy();
            plant.devs = fix.devs.iter().map(|dev| Dev { peers: vec![dev.name.clone()], ..dev.clone() }).collect();
            plant.devs.mark_loaded();
        }
        let plan = Plan::new(source, target);
        prop_assert!(plan.problems().is_empty(), "{:?}", plan.problems());
        prop_assert_eq!(plan.tree().to_string(), "(no differences)\n");
    }

    /// Where case counts nothing is deleted whose equal but for case and space is created in the same run, and all else is.
    #[test]
    fn what_may_be_equal_is_not_deleted(
        source_names in prop::collection::vec(padded(), 0..8),
        target_names in prop::collection::vec(padded(), 0..8),
    ) {
        let side = |names: &[(String, String)]| {
            let mut dns = dns(&[], &[], &[]);
            for (_, name) in names {
                if dns.zones.insert_if_absent(Zone { name: name.clone(), within: None }) {
                    dns.entries.insert(Entry { zone: name.clone(), name: name.clone(), number: None });
                }
            }
            dns
        };
        let lab = name_server(side(&source_names), side(&target_names));
        let report = lab.run();
        let left = locked(&lab.target);
        let holds = |names: &[(String, String)], name: &str| names.iter().any(|(_, other)| other == name);
        for (letters, name) in &target_names {
            let new = |(other, spelled): &(String, String)| other == letters && !holds(&target_names, spelled);
            let stays = holds(&source_names, name) || source_names.iter().any(new);
            prop_assert_eq!(left.zones.contains(name), stays, "{}: {}", name, report.plan().unwrap().tree());
            prop_assert_eq!(left.entries.iter().any(|entry| entry.zone == *name), stays);
        }
        for (_, name) in &source_names {
            prop_assert!(left.zones.contains(name));
        }
    }
}
