//! Whatever tokens come in, code comes out.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::krate::ImportedFrom;

#[test]
fn the_same_input_gives_the_same_code() {
    let mut random = Random(7);
    for input in INPUTS {
        let input = mutated(parsed(input), &mut random);
        for entry in ENTRIES {
            assert_eq!(entry(input.clone()).to_string(), entry(input.clone()).to_string());
        }
    }
}

/// Whatever comes in, what comes out is code: at worst an error at the token that is wrong, never a panic of the macro.
#[test]
fn no_input_makes_a_macro_panic() {
    rounds(20_000, 0x9E37_79B9_7F4A_7C15);
}

/// The same for many more, with `cargo test -p diffsync-derive --release -- --ignored --nocapture a_million_inputs`.
#[test]
#[ignore = "takes minutes"]
fn a_million_inputs_make_no_macro_panic() {
    let started = std::time::Instant::now();
    rounds(1_000_000, 0xD1B5_4A32_D192_ED03);
    println!("1,000,000 inputs in {:.0} s", started.elapsed().as_secs_f64());
}

fn rounds(count: u32, seed: u64) {
    let mut random = Random(seed);
    for round in 0..count {
        let mut input = parsed(INPUTS[random.below(INPUTS.len())]);
        for _ in 0..=random.below(6) {
            input = mutated(input, &mut random);
        }
        let is_item = syn::parse2::<syn::Item>(input.clone()).is_ok();
        for (entry, emits_its_input) in ENTRIES.iter().zip([false, false, false, true]) {
            let expanded = entry(input.clone());
            assert!(
                syn::parse2::<syn::File>(expanded.clone()).is_ok() || (emits_its_input && !is_item),
                "in round {round}, {input}\nbecame {expanded}"
            );
        }
    }
}

/// The macros. A job's arguments are the tokens in the last parentheses of its input.
const ENTRIES: [fn(TokenStream) -> TokenStream; 4] = [
    |input| crate::model::derive(ImportedFrom::Part, input),
    |input| crate::dataset::derive(ImportedFrom::Part, input),
    |input| crate::choice::derive(ImportedFrom::Part, input),
    |input| {
        let groups = input.clone().into_iter().filter_map(|token| match token {
            TokenTree::Group(group) => Some(group.stream()),
            _ => None,
        });
        crate::job::expand(ImportedFrom::Part, groups.last().unwrap_or_default(), &input)
    },
];

/// What is mutated.
const INPUTS: &[&str] = &[
    "struct Region { #[sync(id)] slug: String, name: String, #[sync(local)] remote: Option<i64> }",
    "#[sync(name = \"land\", parent(Region, slug = region))] pub struct Country { #[sync(id)] region: String, code: u8 }",
    "struct Location { #[sync(id)] slug: String, #[sync(parent = Self)] within: Option<String>, r#type: Vec<f64> }",
    "#[derive(Dataset, Default)] pub(crate) struct World { regions: Table<Region>, places: geo::Table<geo::Place> }",
    "struct Pair(#[sync(id)] String, Table<Region>);",
    "enum Status { Active, Retired { #[var(default = 4)] since: u16 } }",
    "union Bits<'a, const N: usize> { number: u32, bytes: &'a [u8; N] }",
    "struct Sync { #[var(default = -1.5, env = \"X\", group = \"G\")] file: PathBuf } (source = A, target = B<C>)",
    "#[sync] struct Unit; (id = \"x-y\", kind = data_source, hidden = true, concurrency = 4, name = \"N\", target = B)",
    "impl Job for Sync { async fn source_adapter(&self) {} }",
    "#[sync(references(Label, owner = tenant, text = labels), references(Self, name = backup, deferred), crate = a::b)] \
     struct Device { #[sync(id, compare = ignore_case)] name: String, tenant: Option<String>, labels: Vec<String>, \
     #[sync(when_some)] backup: Option<String>, #[sync(references(Self, deferred))] peers: HashSet<DeviceId> }",
    "#[sync(flags(ignore, skip_unmatched_dst), after(Region, geo::City), deletes_first, max_creates = 4)] \
     struct Country { #[sync(id, rename = \"code\")] slug: String, #[sync(compare = contains)] tags: BTreeSet<String>, \
     #[sync(compare = tolerance(1e-6), when_some)] area: Option<f64>, #[sync(create_only)] r#in: u8, \
     #[sync(compare = with(a::same))] names: Vec<String>, #[sync(compare = blank_is_none)] note: Option<String> }",
    "#[choice(crate = a)] pub enum Mode { #[choice(rename = \"as fast\")] Fast, Careful = 4, IPAddress }",
    "struct Job { #[var(choices = a::sites, default = \"x\")] site: Option<Mode> } (source = A, target = B, skip(Region, \
     geo::City), ignore(region.name, city.\"x y\"), max_updates = \"20%\", on_guard = hold, time_limit = \"15m\", crate = a)",
];

/// What is put in the place of something, two spaces between each.
const VOCABULARY: &str = r#"
struct  enum  union  pub  fn  impl  where  for  dyn  Self  where Self: Copy  impl Copy  <T>  <'a>  r#type  Region  slug
String  Option<String>  Secret<String>  Option<Secret<u8>>  Table<Region>  Table  &'static str  &str  f64  [u8; 4]
(u8, String)  *const u8  !  ::  <  >  =  ,  ;  :  -  #  'a  @  $  |  &  ..  {}  ()  []  (source = A, target = B)  { a: u8 }
"text"  ""  "Not A Name"  b"bytes"  'c'  c"c"  0  4  -4  1.5  1e999  99999999999999999999999999  1_usize  true  false
sync  var  job  id  local  parent  name  parnet  source  target  kind  data_source  default  env  group  help  concurrency
hidden  dryrun_default  #[sync(id)]  #[sync(local, parent = Self)]  #[sync(parent(Self, a = b))]  #[sync()]  #[sync]
references  references(Self, deferred)  references = Self  deferred  (Self, a = b, deferred)  (Region, slug = region)
when_some  create_only  compare  compare = unordered  compare = contains  = tolerance(0.5)  = with(f)  (-1)  (1e-6)  rename
rename = "slug"  flags  flags(ignore, prevent_destroy)  after(Self)  after(Region)  deletes_first  max_deletes  = "20%"  = 20%
crate  crate = a::b  crate = super  skip  skip(Region)  ignore(region.slug)  ignore  on_guard  hold  time_limit  "90s"  "0s"
choices  choices = f  choice  #[choice(rename = "a")]  #[choice(crate = a)]  #[dataset(crate = a)]  Vec<String>  HashSet<u8, S>
Option<Vec<RegionId>>  type  r#in  self  _  .  %  #[sync(create_only, compare = ignore_case)]  #[sync(id, when_some)]
#[sync = 4]  #[var(default = "x")]  #[var(default)]  #[doc = "text"]  #![doc]  /// Documentation.
"#;

/// A word of the vocabulary.
fn word(random: &mut Random) -> TokenStream {
    let words: Vec<&str> = VOCABULARY.trim().split('\n').flat_map(|line| line.split("  ")).collect();
    parsed(words[random.below(words.len())])
}

pub(super) fn parsed(text: &str) -> TokenStream {
    TokenStream::from_str(text).unwrap()
}

/// The tokens with one of them, here or in a group among them, left out, doubled, swapped or put in another's place.
pub(super) fn mutated(tokens: TokenStream, random: &mut Random) -> TokenStream {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    if tokens.is_empty() {
        return word(random);
    }
    let at = random.below(tokens.len());
    if let TokenTree::Group(group) = &tokens[at]
        && random.below(4) > 0
    {
        tokens[at] = Group::new(group.delimiter(), mutated(group.stream(), random)).into();
        return tokens.into_iter().collect();
    }
    let word = word(random);
    match random.below(6) {
        0 => drop(tokens.remove(at)),
        1 => tokens.insert(at, tokens[at].clone()),
        2 => {
            let other = random.below(tokens.len());
            tokens.swap(at, other);
        }
        3 => drop(tokens.splice(at..=at, word)),
        4 => drop(tokens.splice(at..at, word)),
        _ => {
            let delimiters = [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None];
            let inner = tokens.split_off(at).into_iter().collect();
            tokens.push(Group::new(delimiters[random.below(delimiters.len())], inner).into());
        }
    }
    tokens.into_iter().collect()
}

/// A xorshift generator: the same numbers in every run.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 32).unwrap() % bound
    }
}
