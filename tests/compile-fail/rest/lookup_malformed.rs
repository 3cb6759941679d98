use diffsync::SyncModel;
use diffsync::rest::RestModel;

#[derive(SyncModel, RestModel, Clone)]
#[rest(path = "devices")]
struct Device {
    #[sync(id)]
    name: String,
    #[rest(lookup = "site -> sites")]
    site: String,
    #[rest(lookup = "type -> types(maker -> makers(name), model)")]
    model: String,
    #[rest(field = "custom fields.rack")]
    rack: String,
}

fn main() {}
