use diffsync_adapters::nautobot::*;
use diffsync_core::*;
use std::time::Instant;

fn real(var: &str) -> Option<Nautobot<Inventory>> {
    let url = Url::parse(&std::env::var(var).ok()?).unwrap();
    Some(Nautobot::new(&url, &Secret::new("0123456789abcdef0123456789abcdef01234567".to_owned())).unwrap())
}

#[tokio::test]
async fn scratch_load() {
    let Some(a) = real("NAUTOBOT_A") else { return };
    for a in [a, real("NAUTOBOT_A").unwrap().without_graphql()] {
        let t = Instant::now();
        let mut d = Inventory::default();
        a.load(&mut d, &LoadContext::alone(Side::Source)).await.unwrap();
        println!("{:?} {d:#?}", t.elapsed());
        println!("{:#?}", d.locations.iter().nth(20));
        println!("{:#?}", d.devices.iter().nth(20));
        println!("{:#?}", d.interfaces.iter().nth(20));
        println!("{:#?}", d.ip_addresses.iter().nth(20));
        println!("{:#?}", d.prefixes.iter().nth(20));
        println!("{:#?}", d.custom_fields.iter().next());
        println!("{:?}", a.record_url("prefix", "Global__10.0.0.0/8").map(|u| u.to_string()));
        let mut c = Checkup::new(Side::Target);
        a.check(&mut c).await;
        for f in c.findings() { println!("{f:?}"); }
    }
}
