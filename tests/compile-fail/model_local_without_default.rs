//! A local field has a default: the other side's records get it.

use diffsync::SyncModel;

struct RemoteId(u64);

#[derive(SyncModel)]
struct Country {
    #[sync(id)]
    slug: String,
    #[sync(local)]
    remote_id: RemoteId,
}

fn main() {}
