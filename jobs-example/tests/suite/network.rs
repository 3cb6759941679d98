//! A folder of CSV files, into a database and back.

use std::fs;
use std::path::PathBuf;

use diffsync_test_servers::postgres;

use crate::program::{Place, data};

const FILES: [&str; 3] = ["sites.csv", "racks.csv", "devices.csv"];

/// A place with a copy of the folder.
fn place() -> Place {
    let place = Place::new();
    fs::create_dir(place.path("network")).unwrap();
    for file in FILES {
        fs::copy(data(&format!("network/{file}")), place.path("network").join(file)).unwrap();
    }
    place
}

fn file(place: &Place, folder: &str, file: &str) -> PathBuf {
    place.path(folder).join(file)
}

/// Takes the folder into the database, changes it there and takes it back.
fn there_and_back(database: &str) {
    let place = place();
    let there = ["run", "csv-to-postgres", "--folder", "network", "--database", database];
    let apply = [&there[..], &["--apply"]].concat();
    place.expect(0, &["check", "csv-to-postgres", "--folder", "network", "--database", database]);
    place.expect(0, &there).says("dry run: nothing was written");
    place.expect(0, &apply).says("outcomes: created 84\n");
    place.expect(0, &apply).says("nothing to do");

    // As they were made: nothing is lost or spelt in another way.
    fs::create_dir(place.path("back")).unwrap();
    let back = ["run", "postgres-to-csv", "--folder", "back", "--database", database, "--apply"];
    place.expect(0, &back).says("outcomes: created 84\n");
    for name in FILES {
        let [before, after] = ["network", "back"].map(|folder| fs::read_to_string(file(&place, folder, name)).unwrap());
        let [before, after] = [&before, &after].map(|text| {
            let mut lines: Vec<_> = text.lines().collect();
            lines[1..].sort_unstable();
            lines
        });
        assert_eq!(before, after, "{name}");
    }

    // A rack that moves to another site is another rack, since its site is part of what it is called.
    let devices = fs::read_to_string(file(&place, "network", "devices.csv")).unwrap();
    let devices = devices.replacen("AMS1,R01,40,leaf", "FRA2,R02,12,leaf", 1).replacen("on loan", "bought", 1);
    fs::write(file(&place, "network", "devices.csv"), devices).unwrap();
    place.expect(0, &apply).says("~ device ams1-leaf-010").says("outcomes: updated 2\n");
    place.expect(0, &back).says("outcomes: updated 2\n");
    assert!(
        fs::read_to_string(file(&place, "back", "devices.csv")).unwrap().contains("ams1-leaf-010,FRA2,R02,12,leaf")
    );
}

#[test]
fn a_folder_goes_into_sqlite_and_comes_back_as_it_was() {
    there_and_back("sqlite://network.db");
}

#[test]
fn a_folder_goes_into_postgresql_and_comes_back_as_it_was() {
    let Some(server) = postgres() else { return };
    there_and_back(&format!("postgres://{}:{}@127.0.0.1:{}/postgres", server.user, server.password, server.port));
}

#[test]
fn a_broken_line_is_named_and_nothing_is_written() {
    let place = place();
    let racks = fs::read_to_string(file(&place, "network", "racks.csv")).unwrap();
    fs::write(file(&place, "network", "racks.csv"), racks.replacen("AMS1,R02,42", "AMS1,R02,42,43", 1)).unwrap();
    let run = ["run", "csv-to-postgres", "--folder", "network", "--database", "sqlite://network.db", "--apply"];
    let said = place.expect(1, &run);
    assert!(said.err.contains("racks.csv") && said.err.contains("line 3"), "{}", said.err);
    assert!(!place.path("network.db").exists());
}

#[test]
fn a_device_in_a_rack_that_does_not_exist_is_rejected_and_the_others_are_written() {
    let place = place();
    let devices = fs::read_to_string(file(&place, "network", "devices.csv")).unwrap();
    fs::write(file(&place, "network", "devices.csv"), devices.replacen("AMS1,R01,40", "AMS1,R09,40", 1)).unwrap();
    let run = ["run", "csv-to-postgres", "--folder", "network", "--database", "sqlite://network.db", "--apply"];
    let said = place.expect(4, &run);
    assert!(said.err.contains("1 of 60 device records of the source cannot be used"), "{}", said.err);
    let said = place.expect(3, &[&run[..], &["--max-rejected", "5"]].concat());
    said.says("device \"ams1-leaf-010\" refers to rack \"AMS1__R09\", which does not exist")
        .says("created 83, rejected 1");
}

#[test]
fn records_that_depend_on_a_rejected_one_are_counted_with_it() {
    let place = place();
    let sites = fs::read_to_string(file(&place, "network", "sites.csv")).unwrap();
    fs::write(file(&place, "network", "sites.csv"), format!("{}\nAMS1,Amsterdam,NL,120\n", sites.trim_end())).unwrap();
    let run = ["run", "csv-to-postgres", "--folder", "network", "--database", "sqlite://network.db"];
    let said = place.run(&[&run[..], &["--max-rejected", "100"]].concat());
    said.says("  source: site \"AMS1\" occurs 2 times\n  and 13 more records that depend on them\n");
}
