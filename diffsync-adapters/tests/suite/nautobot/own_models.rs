//! Models of one's own.

use std::sync::Arc;

use diffsync_adapters::RestModel;
use diffsync_adapters::nautobot::Nautobot;
use diffsync_core::adapter::HealthCheck;
use diffsync_core::data::Side;
use diffsync_core::job::{JobContext, JobError, JobSpec};
use diffsync_core::run::RunOptions;
use diffsync_core::testkit::Laws;
use diffsync_core::value::Url;
use diffsync_core::{Adapter, Dataset, Job, Run, SyncModel, Table, job};
use serde_json::json;

use super::fake::{Fake, State, TOKEN};

/// A VLAN, whose group and status are no models of the data set.
#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "ipam/vlans")]
struct Vlan {
    #[sync(id)]
    vid: u16,
    #[sync(id)]
    #[rest(lookup = "vlan_group -> ipam/vlan-groups(name)")]
    group: Option<String>,
    name: String,
    #[rest(lookup = "status -> extras/statuses(name)")]
    status: String,
    #[rest(field = "custom_fields.cost_centre")]
    cost_centre: Option<u32>,
    #[sync(local)]
    #[rest(key)]
    id: Option<String>,
}

#[derive(Dataset, Default)]
struct Vlans {
    vlans: Table<Vlan>,
}

fn vlans(seed: u64) -> Vlans {
    let numbers = (1..30).filter(|number| (number * 7 + seed * 3) % 5 > 1);
    let vlan = |number: u64| Vlan {
        vid: u16::try_from(number).unwrap(),
        group: (!number.is_multiple_of(3)).then(|| ["red", "blue"][usize::try_from(number).unwrap() % 2].into()),
        name: format!("v{}", seed / number),
        status: ["Active", "Reserved"][usize::try_from(seed + number).unwrap() % 2].into(),
        cost_centre: (number + seed).is_multiple_of(2).then_some(7),
        id: None,
    };
    Vlans { vlans: numbers.map(vlan).collect() }
}

#[tokio::test]
async fn models_of_ones_own_keep_the_laws() {
    let fakes = std::sync::Mutex::new(Vec::new());
    let system = || async {
        let mut state = State::new();
        state.insert("ipam/vlan-groups", json!({"name": "red"}));
        state.insert("ipam/vlan-groups", json!({"name": "blue"}));
        let cost_centre =
            json!({"key": "cost_centre", "label": "Cost centre", "type": "integer", "content_types": ["ipam.vlan"]});
        state.insert("extras/custom-fields", cost_centre);
        let fake = Fake::with(state, true).await;
        let token = diffsync_core::value::Secret::new(TOKEN.to_owned());
        let nautobot: Nautobot<Vlans> = Nautobot::open(&fake.url(), &token).unwrap();
        fakes.lock().unwrap().push(fake);
        Ok(nautobot)
    };
    Box::pin(Laws::new(system, vlans).seeds(2).failing_calls(3).check()).await.unwrap();
}

/// A group of VLANs, of which it is not known what goes along with it.
#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "ipam/vlan-groups")]
struct Group {
    #[sync(id)]
    name: String,
    #[sync(local)]
    #[rest(key)]
    id: Option<String>,
}

#[derive(Dataset, Default)]
struct Groups {
    groups: Table<Group>,
}

/// Writes groups to a Nautobot.
#[job(source = Nautobot<Groups>, target = Nautobot<Groups>, max_deletes = "100%")]
struct GroupsToNautobot {
    source: Url,
    target: Url,
    may_go: bool,
}

impl Job for GroupsToNautobot {
    async fn source_adapter(&self, _: &JobContext) -> Result<Nautobot<Groups>, JobError> {
        Ok(Nautobot::open(&self.source, &Fake::token())?)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Nautobot<Groups>, JobError> {
        let target = Nautobot::open(&self.target, &Fake::token())?;
        Ok(if self.may_go { target.allow_cascade("ipam/vlan-groups") } else { target })
    }
}

#[tokio::test]
async fn a_record_is_not_deleted_where_it_is_not_known_what_goes_along() {
    for may_go in [false, true] {
        let system = |names: &[&str]| {
            let mut state = State::new();
            for name in names {
                state.insert("ipam/vlan-groups", json!({"name": name}));
            }
            Fake::with(state, true)
        };
        let (empty, fake) = (system(&["kept"]).await, system(&["kept", "old"]).await);
        let job = GroupsToNautobot { source: empty.url(), target: fake.url(), may_go };
        let options = RunOptions::new(&GroupsToNautobot::INFO).apply();
        let report = Box::pin(Run::execute(Arc::new(job), options, Vec::new())).await;
        assert_eq!(report.counts.deleted, usize::from(may_go), "{:?}", report.error_text());
        assert_eq!(report.counts.failed, usize::from(!may_go), "{:?}", report.error_text());
    }
}

#[tokio::test]
async fn a_check_says_which_records_are_not_deleted() {
    let mut state = State::new();
    state.insert("ipam/vlan-groups", json!({"name": "red"}));
    let fake = Fake::with(state, true).await;
    for may_go in [false, true] {
        let target: Nautobot<Groups> = Nautobot::open(&fake.url(), &Fake::token()).unwrap();
        let target = if may_go { target.allow_cascade("ipam/vlan-groups") } else { target };

        let mut health = HealthCheck::new(Side::Target);
        target.check(&mut health).await;

        let finding = health.findings().iter().find(|finding| finding.what == "deletes");
        assert_eq!(finding.is_some(), !may_go, "{health:?}");
        assert!(finding.is_none_or(|finding| finding.passed && finding.detail.contains("`ipam/vlan-groups`")));
    }
}
