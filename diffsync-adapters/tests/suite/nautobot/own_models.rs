//! Models of one's own.

use diffsync_adapters::RestModel;
use diffsync_adapters::nautobot::Nautobot;
use diffsync_core::testkit::Laws;
use diffsync_core::{Dataset, SyncModel, Table};
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
