use diffsync::SyncModel;
use diffsync::rest::RestModel;

#[derive(SyncModel, RestModel, Clone)]
#[rest(
    path = "devices",
    lookup("type -> types(maker -> makers(name), model)", model),
    lookup("site -> sites(region, name)", regoin, site)
)]
struct Device {
    #[sync(id)]
    name: String,
    model: String,
    region: String,
    site: String,
}

fn main() {}
