//! A model, or more, for every key that says more of a field, a model or a job.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use diffsync_core::adapter::{AdapterError, LoadContext, TargetError, WriteContext};
use diffsync_core::job::{JobContext, JobError, VariableValues};
use diffsync_core::value::Secret;
use diffsync_core::{Adapter, Choice, Dataset, Job, ModelExt, SyncModel, Table, Target, job};

/// A tenant.
#[derive(SyncModel, Debug, Clone, PartialEq, Eq)]
#[sync(flags(ignore, skip_unmatched_both), max_creates = 100, max_updates = "50%", max_deletes = 0)]
pub struct Tenant {
    /// Whatever its case.
    #[sync(id, compare = ignore_case)]
    pub slug: String,
    /// Another tenant that it belongs to.
    #[sync(references = Self)]
    pub owner: Option<String>,
}

/// A label, whose names are their owners'.
#[derive(SyncModel, Debug, Clone)]
#[sync(after(Tenant), deletes_first)]
pub struct Label {
    /// Whose it is.
    #[sync(id, rename = "owned by", references = Tenant, compare = ignore_case)]
    pub owner: Option<String>,
    /// What it says.
    #[sync(id)]
    pub text: String,
}

/// A device, which names others in every way.
#[derive(SyncModel, Debug, Clone)]
#[sync(
    name = "network_device",
    references(Label, owner = tenant, text = label),
    references(Label, owner = tenant, text = labels),
    references(Interface, device = name, name = primary, deferred),
    flags(skip_children_on_delete, prevent_destroy)
)]
pub struct Device {
    /// What it is called.
    #[sync(id)]
    pub name: String,
    /// Whose it is, and who pays for it.
    #[sync(references = Tenant, references = Account)]
    pub tenant: Option<String>,
    /// One label.
    pub label: Option<String>,
    /// Several.
    pub labels: Vec<String>,
    /// The interface that it is reached by.
    pub primary: Option<String>,
    /// The devices that it is connected to.
    #[sync(references(Self, deferred))]
    pub peers: Option<Vec<DeviceId>>,
    /// The tenants that may use it.
    #[sync(references = Tenant)]
    pub users: BTreeSet<String>,
    /// The tenants that may change it.
    #[sync(references(Tenant, deferred))]
    pub admins: HashSet<String>,
    /// The number that this side gave it.
    #[sync(local, rename = "id")]
    pub remote_id: u64,
}

/// Who pays.
#[derive(SyncModel, Debug, Clone)]
pub struct Account {
    /// The tenant who does.
    #[sync(id)]
    pub tenant: String,
}

/// An interface of a device.
#[derive(SyncModel, Debug, Clone)]
#[sync(parent(Device, name = device))]
pub struct Interface {
    /// The device that it belongs to.
    #[sync(id)]
    pub device: String,
    /// What it is called.
    #[sync(id)]
    pub name: String,
}

/// A field for every comparison.
#[derive(SyncModel, Debug, Clone, Default)]
pub struct Compared {
    /// Its number.
    #[sync(id)]
    pub number: u32,
    /// Whatever its order.
    #[sync(compare = unordered)]
    pub unordered: Vec<String>,
    /// Whatever its case.
    #[sync(compare = ignore_case)]
    pub ignore_case: Option<String>,
    /// There may be more.
    #[sync(compare = contains)]
    pub contains: Vec<String>,
    /// There may be more keys.
    #[sync(compare = contains, when_some)]
    pub contains_map: Option<BTreeMap<String, u8>>,
    /// There may be a text.
    #[sync(compare = blank_is_none)]
    pub blank: Option<String>,
    /// There may be a text, or no opinion.
    #[sync(compare = blank_is_none, when_some)]
    pub blank_or_any: Option<String>,
    /// Nearly the same.
    #[sync(compare = tolerance(0.5))]
    pub near: Option<f32>,
    /// The same to the author.
    #[sync(compare = with(super::keys::same_length))]
    pub with: String,
    /// The same to the author, or no opinion.
    #[sync(when_some, compare = with(target))]
    pub with_some: Option<u8>,
    /// No opinion where there is none.
    #[sync(when_some)]
    pub some: Option<f64>,
    /// Set once.
    #[sync(create_only)]
    pub once: String,
    /// Never shown.
    #[sync(compare = contains)]
    pub secret: Secret<Vec<String>>,
}

/// Whether two texts are of one length.
#[must_use]
pub fn same_length(source: &str, target: &str) -> bool {
    source.len() == target.len()
}

/// Whether the target has no less: its name is also that of a parameter of generated code.
#[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "a comparison gets references")]
fn target(source: &Option<u8>, target: &Option<u8>) -> bool {
    source <= target
}

/// All of them.
#[derive(Dataset, Debug, Default)]
pub struct Network {
    /// The tenants.
    pub tenants: Table<Tenant>,
    /// The accounts.
    pub accounts: Table<Account>,
    /// The labels.
    pub labels: Table<Label>,
    /// The devices.
    pub devices: Table<Device>,
    /// The interfaces.
    pub interfaces: Table<Interface>,
    /// The comparisons.
    pub compared: Table<Compared>,
}

/// A system of everything.
#[derive(Debug, Clone, Copy)]
pub struct Lab;

impl Adapter for Lab {
    type Data = Network;

    async fn load(&self, network: &mut Network, _: &LoadContext<'_>) -> Result<(), AdapterError> {
        network.tenants.mark_loaded();
        Ok(())
    }
}

macro_rules! targets {
    ($($model:ident, $patch:ident;)*) => {$(
        impl Target<$model> for Lab {
            async fn create(&self, new: &$model, _: &WriteContext<'_, Network>) -> Result<$model, TargetError> {
                Ok(new.clone())
            }

            async fn update(
                &self,
                old: &$model,
                patch: &$patch,
                _: &WriteContext<'_, Network>,
            ) -> Result<$model, TargetError> {
                Ok(old.patched(patch))
            }

            async fn delete(&self, _: &$model, _: &WriteContext<'_, Network>) -> Result<(), TargetError> {
                Ok(())
            }
        }
    )*};
}

targets! {
    Tenant, TenantPatch;
    Account, AccountPatch;
    Label, LabelPatch;
    Device, DevicePatch;
    Interface, InterfacePatch;
    Compared, ComparedPatch;
}

/// How to do it.
#[derive(Choice, Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Whatever happens.
    AsFastAsPossible,
    /// Step by step.
    Carefully,
    /// As it was done before.
    #[choice(rename = "as in 1.0")]
    AsBefore,
}

/// From a lab to a lab.
#[job(
    source = Lab,
    target = Lab,
    skip(Compared),
    ignore(network_device.users, network_device.label),
    max_creates = 10,
    max_deletes = "12.5%",
    on_guard = hold,
    time_limit = "15m"
)]
#[derive(Debug)]
pub struct LabToLab {
    /// Which site.
    #[var(choices = sites, group = "Where")]
    pub site: String,
    /// How.
    #[var(default = "carefully")]
    pub how: How,
    /// How else.
    pub how_else: Option<How>,
    /// Which racks.
    #[var(choices = super::keys::racks)]
    pub racks: Vec<u16>,
}

#[allow(clippy::unused_async, reason = "a real one asks a server")]
async fn sites(_: &VariableValues) -> Result<Vec<String>, JobError> {
    Ok(vec!["ams01".into(), "fra01".into()])
}

/// The racks of the site that is chosen.
///
/// # Errors
///
/// If no site is.
#[allow(clippy::unused_async, reason = "a real one asks a server")]
pub async fn racks(values: &VariableValues) -> Result<Vec<String>, JobError> {
    let [site] = values.get("site") else { return Err(JobError::new("choose a site first")) };
    Ok(vec![format!("{site}-1")])
}

impl Job for LabToLab {
    async fn source_adapter(&self, _: &JobContext) -> Result<Lab, JobError> {
        Ok(Lab)
    }

    async fn target_adapter(&self, _: &JobContext) -> Result<Lab, JobError> {
        Ok(Lab)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::Duration;

    use diffsync_core::Plan;
    use diffsync_core::job::{JobSpec, Variable, VariableKind};
    use diffsync_core::model::{Flags, Limit, Limits, OnGuard};
    use diffsync_core::schema::{Comparison, LinkKind};

    use super::*;

    fn device() -> Device {
        let text = |text: &str| text.to_owned();
        Device {
            name: text("edge-01"),
            tenant: Some(text("acme")),
            label: Some(text("new")),
            labels: vec![text("old"), text("red")],
            primary: Some(text("eth0")),
            peers: Some(vec![DeviceId::new("edge-02")]),
            users: BTreeSet::from([text("acme")]),
            admins: HashSet::from([text("acme")]),
            remote_id: 4,
        }
    }

    /// The names of the attributes in which the source's record differs from the target's.
    fn differences<M: SyncModel>(source: &M, target: &M) -> Vec<&'static str> {
        let mut names = Vec::new();
        source.differences(target, &mut |position| names.push(M::SCHEMA.attributes[position].name));
        names
    }

    /// The names of the attributes that differ after a change of the source and of the target.
    fn compared(source: impl FnOnce(&mut Compared), target: impl FnOnce(&mut Compared)) -> Vec<&'static str> {
        let (mut changed, mut other) = (Compared::default(), Compared::default());
        source(&mut changed);
        target(&mut other);
        differences(&changed, &other)
    }

    fn list(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn the_schema_says_what_was_declared() {
        assert_eq!(Tenant::SCHEMA.flags, Flags::IGNORE | Flags::SKIP_UNMATCHED_BOTH);
        let limits = Limits {
            creates: Some(Limit::Count(100)),
            updates: Some(Limit::Percent(50.0)),
            deletes: Some(Limit::Count(0)),
        };
        assert_eq!(Tenant::SCHEMA.limits, limits);
        assert_eq!((Label::SCHEMA.after, Label::SCHEMA.deletes_first), (&["tenant"][..], true));
        assert_eq!((Device::NAME, Device::SCHEMA.limits), ("network_device", Limits::NONE));
        assert_eq!(Device::SCHEMA.flags, Flags::SKIP_CHILDREN_ON_DELETE | Flags::PREVENT_DESTROY);
        let comparisons: Vec<_> = Compared::SCHEMA.attributes.iter().map(|field| field.comparison).collect();
        assert_eq!(comparisons[0..3], [Comparison::Unordered, Comparison::IgnoreCase, Comparison::Contains]);
        assert_eq!(comparisons[6..8], [Comparison::Tolerance(0.5), Comparison::With("super::keys::same_length")]);
        assert!(Compared::SCHEMA.attributes[9].when_some && Compared::SCHEMA.attributes[10].create_only);
    }

    #[test]
    fn a_field_is_called_what_it_is_renamed_to() {
        assert_eq!(Label::SCHEMA.identifiers[0].name, "owned by");
        assert_eq!(Label::SCHEMA.links[0].fields, ["owned by"]);
        assert_eq!(Device::SCHEMA.locals[0].name, "id");
    }

    #[test]
    fn links_stand_in_the_order_of_their_declaration() {
        let links: Vec<_> = Device::SCHEMA.links.iter().map(|link| (link.kind, link.model, link.fields)).collect();
        let (now, later) = (LinkKind::Reference { deferred: false }, LinkKind::Reference { deferred: true });
        let expected: [(LinkKind, &str, &[&str]); 8] = [
            (now, "label", &["tenant", "label"]),
            (now, "label", &["tenant", "labels"]),
            (later, "interface", &["name", "primary"]),
            (now, "tenant", &["tenant"]),
            (now, "account", &["tenant"]),
            (later, "network_device", &["peers"]),
            (now, "tenant", &["users"]),
            (later, "tenant", &["admins"]),
        ];
        assert_eq!(links, expected);
        assert_eq!(Interface::SCHEMA.links[0].kind, LinkKind::Parent);
    }

    #[test]
    fn deferred_references_are_handed_over_only_when_they_are_due() {
        let now = device().for_target(true).clone();
        assert_eq!((now.primary, now.peers, now.admins), (None, None, HashSet::new()));
        assert_eq!((now.tenant, now.users, now.remote_id), (device().tenant, device().users, 0));
        let later = device().for_target(false).clone();
        assert_eq!((later.primary, later.peers, later.remote_id), (device().primary, device().peers, 0));
    }

    #[test]
    fn only_what_is_not_the_same_is_a_difference() {
        assert_eq!(compared(|_| (), |_| ()), [""; 0]);
        assert_eq!(compared(|s| s.unordered = list(&["a", "b"]), |t| t.unordered = list(&["b", "a"])), [""; 0]);
        assert_eq!(compared(|s| s.unordered = list(&["a", "b"]), |t| t.unordered = list(&["b"])), ["unordered"]);
        assert_eq!(compared(|s| s.ignore_case = Some("ÄB".into()), |t| t.ignore_case = Some("äb".into())), [""; 0]);
        assert_eq!(compared(|s| s.ignore_case = Some("ÄB".into()), |_| ()), ["ignore_case"]);
        assert_eq!(compared(|s| s.contains = list(&["a"]), |t| t.contains = list(&["b", "a"])), [""; 0]);
        assert_eq!(compared(|s| s.contains = list(&["a"]), |t| t.contains = list(&["b"])), ["contains"]);
        assert_eq!(compared(|s| s.blank = Some(String::new()), |_| ()), [""; 0]);
        assert_eq!(compared(|s| s.blank = Some(String::new()), |t| t.blank = Some("a".into())), ["blank"]);
        assert_eq!(compared(|s| s.near = Some(1.5), |t| t.near = Some(1.0)), [""; 0]);
        assert_eq!(compared(|s| s.near = Some(1.5), |t| t.near = Some(0.5)), ["near"]);
        assert_eq!(compared(|s| s.with = "a".into(), |t| t.with = "b".into()), [""; 0]);
        assert_eq!(compared(|s| s.with = "a".into(), |_| ()), ["with"]);
        assert_eq!(compared(|s| s.once = "a".into(), |_| ()), [""; 0], "it is never compared");
        assert_eq!(compared(|s| s.secret = Secret::new(list(&["a"])), |_| ()), ["secret"]);
    }

    #[test]
    fn no_opinion_is_no_difference() {
        assert_eq!(compared(|_| (), |t| t.some = Some(1.0)), [""; 0]);
        assert_eq!(compared(|s| s.some = Some(1.0), |_| ()), ["some"]);
        assert_eq!(compared(|s| s.some = Some(f64::NAN), |t| t.some = Some(f64::NAN)), [""; 0]);
        assert_eq!(compared(|_| (), |t| t.with_some = Some(1)), [""; 0]);
        assert_eq!(compared(|s| s.with_some = Some(2), |t| t.with_some = Some(1)), ["with_some"]);
        assert_eq!(compared(|_| (), |t| t.blank_or_any = Some("a".into())), [""; 0]);
        assert_eq!(
            compared(|s| s.blank_or_any = Some(String::new()), |t| t.blank_or_any = Some("a".into())),
            [""; 0],
            "a blank text is none, and none is no opinion"
        );
    }

    #[test]
    fn what_the_target_holds_beyond_is_not_taken_away() {
        let record = |texts: &[&str]| Compared {
            contains: list(texts),
            contains_map: Some(texts.iter().map(|text| ((*text).to_owned(), 1)).collect()),
            secret: Secret::new(list(texts)),
            ..Compared::default()
        };
        let (source, target) = (record(&["b", "c"]), record(&["a", "b"]));
        let patch = source.patch(&target, &|_| true);
        assert_eq!(patch.contains, Some(list(&["a", "b", "c"])));
        assert_eq!(patch.contains_map.map(|map| map.map(|map| map.len())), Some(Some(3)));
        assert_eq!(patch.secret.map(|secret| secret.into_exposed().len()), Some(3));
        assert_eq!(source.planned(&target, 2).unwrap().to_string(), r#"["a","b","c"]"#);
        assert_eq!(source.planned(&target, 0).unwrap().to_string(), "[]", "as any other attribute");
        assert_eq!(source.planned(&target, 11).unwrap(), "[secret]");
        assert_eq!(source.attribute(2).unwrap().to_string(), r#"["b","c"]"#);
    }

    #[test]
    fn an_identifier_is_found_whatever_its_case() {
        let mut tenants = Table::default();
        tenants.insert(Tenant { slug: "France".into(), owner: None });
        assert!(tenants.contains("FRANCE") && tenants.contains(&TenantId::new("france")));
        assert!(!tenants.insert_if_absent(Tenant { slug: "fRANCE".into(), owner: None }));
        assert_eq!(TenantId::new("FRANCE"), TenantId::new("france"));
        let ids: HashSet<TenantId> = HashSet::from([TenantId::new("FRANCE"), TenantId::new("france")]);
        assert_eq!(ids.len(), 1);
        let by_id = HashMap::from([(LabelId::new(Some("A".to_owned()), "x"), 1)]);
        assert!(by_id.contains_key(&LabelId::new(Some("a".to_owned()), "x")));
        assert!(
            !by_id.contains_key(&LabelId::new(Some("a".to_owned()), "X"))
                && !by_id.contains_key(&LabelId::new(None, "x"))
        );
    }

    #[test]
    fn a_renamed_identifier_goes_through_serde_by_its_name() {
        assert_eq!(TenantId::new("acme").to_string(), "acme");
        let id = LabelId::new(None, "x");
        assert_eq!(id.to_string(), "null__x");
        assert!(format!("{:?}", Label { owner: None, text: "x".into() }.key()).contains("null__x"));
    }

    #[test]
    fn records_are_compared_by_all_this() {
        let (mut source, mut target) = (Network::default(), Network::default());
        source.compared.insert(Compared { contains: list(&["b"]), some: None, ..Compared::default() });
        target.compared.insert(Compared { contains: list(&["a"]), some: Some(1.0), ..Compared::default() });
        let plan = Plan::new(source, target);
        assert_eq!(plan.diff().operations(), 1);
        assert!(plan.tree().to_string().starts_with("~ compared 0\n    contains: "), "{}", plan.tree());
    }

    #[test]
    fn a_job_says_what_it_leaves_out() {
        let info = LabToLab::INFO;
        assert_eq!((info.skip, info.on_guard), (&["compared"][..], OnGuard::Hold));
        assert_eq!(info.ignore, [("network_device", "users"), ("network_device", "label")]);
        assert_eq!(info.limits.creates, Some(Limit::Count(10)));
        assert_eq!((info.limits.updates, info.limits.deletes), (None, Some(Limit::Percent(12.5))));
        assert_eq!(info.time_limit, Some(Duration::from_mins(15)));
    }

    #[test]
    fn a_choice_is_made_by_name() {
        let names: &[&str] = &["as-fast-as-possible", "carefully", "as in 1.0"];
        assert_eq!(
            (How::KIND, LabToLab::VARIABLES[2].kind),
            (VariableKind::Choice(names), VariableKind::Choice(names))
        );
        assert_eq!(How::parse(" as in 1.0 "), Ok(How::AsBefore));
        assert_eq!(How::AsFastAsPossible.show(), "as-fast-as-possible");
        let values = VariableValues::new().with("site", "ams01");
        let job = LabToLab::from_variables(&values.clone().with("how_else", "as-fast-as-possible")).unwrap();
        assert_eq!((job.how, job.how_else), (How::Carefully, Some(How::AsFastAsPossible)));
        let error = LabToLab::from_variables(&values.with("how", "fast")).unwrap_err().to_string();
        assert_eq!(
            error,
            r#"variable `how` = "fast": it must be one of `as-fast-as-possible`, `carefully`, `as in 1.0`"#
        );
    }

    #[test]
    fn choices_are_asked_for_by_the_variables_name() {
        let has_choices: Vec<_> = LabToLab::VARIABLES.iter().map(|variable| variable.has_choices).collect();
        assert_eq!(has_choices, [true, false, false, true]);
        let values = VariableValues::new().with("site", "ams01");
        let answer = |variable: &str, values: &VariableValues| {
            let mut choices = LabToLab::choices(variable, values)?;
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            match choices.as_mut().poll(&mut cx) {
                std::task::Poll::Ready(answer) => Some(answer.map_err(|error| error.to_string())),
                std::task::Poll::Pending => None,
            }
        };
        assert_eq!(answer("racks", &values), Some(Ok(vec!["ams01-1".to_owned()])));
        assert_eq!(answer("racks", &VariableValues::new()), Some(Err("choose a site first".to_owned())));
        assert_eq!(answer("rack", &values), None);
    }
}
