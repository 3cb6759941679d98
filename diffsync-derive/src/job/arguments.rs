//! The arguments of `#[job(…)]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Error, LitStr, Path, Result, Token, Type};

use crate::attr::{self, Key, Once};
use crate::ctxt::Ctxt;
use crate::krate;
use crate::limit::{self, Limits};

/// The arguments of a job, each given at most once.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(super) source: Once<Type>,
    pub(super) target: Once<Type>,
    pub(super) id: Once<LitStr>,
    pub(super) name: Once<LitStr>,
    pub(super) kind: Once<Kind>,
    pub(super) source_label: Once<LitStr>,
    pub(super) target_label: Once<LitStr>,
    pub(super) source_icon: Once<LitStr>,
    pub(super) target_icon: Once<LitStr>,
    pub(super) dryrun_default: Once<bool>,
    pub(super) hidden: Once<bool>,
    pub(super) concurrency: Once<usize>,
    pub(super) skip: Once<Vec<Type>>,
    pub(super) ignore: Once<Vec<Ignored>>,
    pub(super) limits: Limits,
    pub(super) on_guard: Once<OnGuard>,
    pub(super) time_limit: Once<u64>,
    pub(super) krate: Once<Path>,
    /// Whether an adapter may be missing only because its key could not be read. Then the missing adapter is not reported too.
    adapters_in_doubt: bool,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    DataSource,
    DataTarget,
}

#[derive(Clone, Copy, Default)]
pub(crate) enum OnGuard {
    #[default]
    Stop,
    Hold,
}

/// `model.attribute`.
pub(crate) struct Ignored {
    pub(crate) model: Ident,
    pub(crate) dot: Token![.],
    pub(crate) attribute: Name,
}

/// An attribute's name: a word, or a text where it is renamed to something that is not a word.
pub(crate) enum Name {
    Word(Ident),
    Text(LitStr),
}

/// The keys of `#[job(…)]`.
pub(crate) const KEYS: &[Key<Arguments>] = &[
    Key("source", |keys, cx, key, input| {
        let source = adapter(key, input).inspect_err(|_| keys.adapters_in_doubt = true)?;
        keys.source.set(cx, key, source);
        Ok(())
    }),
    Key("target", |keys, cx, key, input| {
        let target = adapter(key, input).inspect_err(|_| keys.adapters_in_doubt = true)?;
        keys.target.set(cx, key, target);
        Ok(())
    }),
    Key("id", |keys, cx, key, input| {
        let id = attr::text(key, input)?;
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        if id.value().is_empty() || !id.value().chars().all(plain) {
            let message = "a job's id is written in lower case with digits and hyphens, as in `dns-to-ipam`";
            return Err(Error::new_spanned(id, message));
        }
        keys.id.set(cx, key, id);
        Ok(())
    }),
    Key("name", |keys, cx, key, input| {
        keys.name.set(cx, key, attr::text(key, input)?);
        Ok(())
    }),
    Key("kind", |keys, cx, key, input| {
        keys.kind.set(cx, key, kind(key, input)?);
        Ok(())
    }),
    Key("source_label", |keys, cx, key, input| {
        keys.source_label.set(cx, key, attr::text(key, input)?);
        Ok(())
    }),
    Key("target_label", |keys, cx, key, input| {
        keys.target_label.set(cx, key, attr::text(key, input)?);
        Ok(())
    }),
    Key("source_icon", |keys, cx, key, input| {
        keys.source_icon.set(cx, key, attr::text(key, input)?);
        Ok(())
    }),
    Key("target_icon", |keys, cx, key, input| {
        keys.target_icon.set(cx, key, attr::text(key, input)?);
        Ok(())
    }),
    Key("dryrun_default", |keys, cx, key, input| {
        keys.dryrun_default.set(cx, key, attr::boolean(key, input)?);
        Ok(())
    }),
    Key("hidden", |keys, cx, key, input| {
        keys.hidden.set(cx, key, attr::boolean(key, input)?);
        Ok(())
    }),
    Key("concurrency", |keys, cx, key, input| {
        keys.concurrency.set(cx, key, attr::count(key, input)?);
        Ok(())
    }),
    Key("skip", |keys, cx, key, input| {
        let models = skip(cx, key, input)?;
        keys.skip.set(cx, key, models);
        Ok(())
    }),
    Key("ignore", |keys, cx, key, input| {
        let attributes = ignore(cx, key, input)?;
        keys.ignore.set(cx, key, attributes);
        Ok(())
    }),
    Key("max_creates", |keys, cx, key, input| {
        keys.limits.creates.set(cx, key, limit::value(key, input)?);
        Ok(())
    }),
    Key("max_updates", |keys, cx, key, input| {
        keys.limits.updates.set(cx, key, limit::value(key, input)?);
        Ok(())
    }),
    Key("max_deletes", |keys, cx, key, input| {
        keys.limits.deletes.set(cx, key, limit::value(key, input)?);
        Ok(())
    }),
    Key("on_guard", |keys, cx, key, input| {
        keys.on_guard.set(cx, key, on_guard(key, input)?);
        Ok(())
    }),
    Key("time_limit", |keys, cx, key, input| {
        keys.time_limit.set(cx, key, time_limit(key, input)?);
        Ok(())
    }),
    Key("crate", |keys, cx, key, input| {
        keys.krate.set(cx, key, krate::value(key, input)?);
        Ok(())
    }),
];

impl Arguments {
    pub(crate) fn read(cx: &mut Ctxt, tokens: TokenStream) -> Self {
        let mut arguments = Self::default();
        let read = |input: ParseStream<'_>| {
            attr::keys(cx, input, &mut |cx, key, input| arguments.key(cx, key, input));
            Ok(())
        };

        if let Err(error) = read.parse2(tokens) {
            cx.push(error);
        }
        let missing = match (arguments.source.get(), arguments.target.get()) {
            (None, None) => "its source and its target",
            (None, Some(_)) => "its source",
            (Some(_), None) => "its target",
            (Some(_), Some(_)) => return arguments,
        };

        if !arguments.adapters_in_doubt {
            cx.error(
                // What is missing has no place, so the error is at `#[job]`.
                Span::call_site(),
                format!("a job names {missing}: `#[job(source = MySource, target = MyTarget)]`"),
            );
        }

        arguments
    }

    fn key(&mut self, cx: &mut Ctxt, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        // It may be `source` or `target`, misspelled: then it is one mistake, not a missing adapter as well.
        self.adapters_in_doubt |= !attr::contains(KEYS, key);

        attr::read(KEYS, self, cx, key, input)
    }
}

fn adapter(key: &Ident, input: ParseStream<'_>) -> Result<Type> {
    let usage = format!("`{key}` is written `{key} = Adapter`, where `Adapter` is the type that loads the {key}");
    attr::path_type(attr::after_equals(key, input, &usage, Type::parse)?, &usage)
}

fn kind(key: &Ident, input: ParseStream<'_>) -> Result<Kind> {
    const USAGE: &str = "`kind` is `data_source` (records come from elsewhere into your system) or `data_target`";
    attr::choice(key, input, USAGE, &[("data_source", Kind::DataSource), ("data_target", Kind::DataTarget)])
}

fn on_guard(key: &Ident, input: ParseStream<'_>) -> Result<OnGuard> {
    const USAGE: &str = "`on_guard` is `stop` (the run is refused) or `hold` (operations beyond a limit are held back, and the rest are carried out)";
    attr::choice(key, input, USAGE, &[("stop", OnGuard::Stop), ("hold", OnGuard::Hold)])
}

/// `(Model, …)`.
fn skip(cx: &mut Ctxt, key: &Ident, input: ParseStream<'_>) -> Result<Vec<Type>> {
    const USAGE: &str = "`skip` is written `skip(Model, …)`, with the models that take no part in the job";
    let models = attr::list(key, input, USAGE, Type::parse)?;
    let models: Vec<Type> = models.into_iter().map(|model| attr::path_type(model, USAGE)).collect::<Result<_>>()?;
    Ok(attr::each_once(cx, models))
}

/// `(model.attribute, …)`.
fn ignore(cx: &mut Ctxt, key: &Ident, input: ParseStream<'_>) -> Result<Vec<Ignored>> {
    const USAGE: &str = "`ignore` is written `ignore(model.attribute, …)`, with the names that the model and the attribute have in a diff";
    Ok(attr::each_once(cx, attr::list(key, input, USAGE, Ignored::parse)?))
}

impl Parse for Ignored {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (model, dot) = (input.call(Ident::parse_any)?, input.parse()?);
        let attribute =
            if input.peek(LitStr) { Name::Text(input.parse()?) } else { Name::Word(input.call(Ident::parse_any)?) };
        Ok(Self { model, dot, attribute })
    }
}

impl ToTokens for Ignored {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.model.to_tokens(tokens);
        self.dot.to_tokens(tokens);
        match &self.attribute {
            Name::Word(word) => word.to_tokens(tokens),
            Name::Text(text) => text.to_tokens(tokens),
        }
    }
}

impl Ignored {
    pub(crate) fn model(&self) -> String {
        self.model.unraw().to_string()
    }

    pub(crate) fn attribute(&self) -> String {
        match &self.attribute {
            Name::Word(word) => word.unraw().to_string(),
            Name::Text(text) => text.value(),
        }
    }
}

/// `= "90s"`, in seconds.
fn time_limit(key: &Ident, input: ParseStream<'_>) -> Result<u64> {
    const USAGE: &str = "a time limit is a number of seconds, minutes or hours: `\"90s\"`, `\"15m\"` or `\"2h\"`";
    let text = attr::text(key, input).map_err(|error| Error::new(error.span(), USAGE))?;
    let units = [("s", 1), ("m", 60), ("h", 60 * 60)];
    let written = text.value();
    let seconds = units.iter().find_map(|(unit, seconds): &(_, u64)| {
        let number: u64 = written.trim().strip_suffix(unit)?.trim_end().parse().ok()?;
        number.checked_mul(*seconds)
    });

    seconds.filter(|seconds| *seconds > 0).ok_or_else(|| Error::new_spanned(text, USAGE))
}
