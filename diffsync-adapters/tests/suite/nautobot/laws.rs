//! A Nautobot keeps the laws of targets.

use diffsync_adapters::nautobot::{Inventory, Nautobot};
use diffsync_core::testkit::Laws;

use super::fake::{Fake, State};
use super::{adapter, address, device, interface, inventory, location, prefix, used_in};

/// The numbers below `below` that a seed picks.
fn picked(seed: u64, below: u64) -> impl Iterator<Item = u64> {
    (0..below).filter(move |number| (number * 7 + seed * 3) % 5 > 1)
}

/// What all seeds have in common is what a Nautobot never deletes.
pub(super) fn data(seed: u64) -> Inventory {
    let mut all = inventory();
    let sites: Vec<_> = picked(seed, 4).map(|number| location(&["Europe", &format!("S{number}")])).collect();
    for number in picked(seed + 1, 6) {
        let site = &sites[usize::try_from(number + seed).unwrap() % sites.len()];
        let mut new = device(&format!("d{number}"));
        new.location = site.path.clone();
        new.status = ["Active", "Planned"][usize::try_from(seed + number).unwrap() % 2].into();
        new.asset_tag = (number + seed).is_multiple_of(3).then(|| format!("A{number}"));
        new.custom_fields = [("external_id", format!("{number}-{seed}"))].into_iter().collect();
        for port in picked(seed + number, 3) {
            let mut new = interface(&new.name, &format!("Ethernet{port}"));
            new.description = format!("port {}", seed / (port + 1));
            new.kind = ["10gbase-x-sfpp", "1000base-t"][usize::try_from(seed + port).unwrap() % 2].into();
            new.mode = seed.is_multiple_of(2).then(|| "access".into());
            all.interfaces.insert(new);
        }
        all.devices.insert(new);
    }
    for number in picked(seed + 2, 5) {
        let net = format!("10.{}.0.0/16", number + 1);
        all.prefixes.insert(prefix(&net, if seed.is_multiple_of(2) { "container" } else { "pool" }));
        let places = sites.iter().skip(usize::try_from(number).unwrap() % 2);
        all.prefix_locations.extend(places.map(|site| used_in(&net, site.path.clone())));
        let mut new = address(&format!("10.{}.0.1/{}", number + 1, 16 + seed % 3));
        new.dns_name = format!("h{seed}.example.com");
        new.role = number.is_multiple_of(2).then(|| "Loopback".into());
        all.ip_addresses.insert(new);
    }
    all.locations.extend(sites);
    all
}

async fn keeps_the_laws(graphql: bool) {
    let fakes = std::sync::Mutex::new(Vec::new());
    let system = || async {
        let fake = Fake::with(State::new(), graphql).await;
        let nautobot: Nautobot<Inventory> = adapter(&fake);
        fakes.lock().unwrap().push(fake);
        Ok(nautobot)
    };
    Box::pin(Laws::new(system, data).seeds(2).failing_calls(3).check()).await.unwrap();
}

#[tokio::test]
async fn a_nautobot_keeps_the_laws() {
    keeps_the_laws(true).await;
}

#[tokio::test]
async fn a_nautobot_without_graphql_keeps_them() {
    keeps_the_laws(false).await;
}
