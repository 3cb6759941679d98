//! What the macros make of their input, and that they make something of any.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

/// The generated code as a person would write it.
fn pretty(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).unwrap())
}

#[test]
fn a_plain_model() {
    let expanded = crate::model::derive(quote! {
        /// A geographic region.
        #[derive(SyncModel)]
        pub struct Region {
            /// What it is called in URLs.
            #[sync(id)]
            pub slug: String,
            pub name: String,
        }
    });
    insta::assert_snapshot!("a_plain_model", pretty(expanded));
}

#[test]
fn a_model_with_every_key() {
    let expanded = crate::model::derive(quote! {
        #[derive(SyncModel)]
        #[sync(name = "front_port", parent(dcim::Device, site = site, name = device))]
        pub(crate) struct Port {
            #[sync(id)]
            site: String,
            #[sync(id)]
            device: String,
            #[sync(id)]
            number: u16,
            #[sync(id)]
            lane: Option<u8>,
            r#type: PortType,
            /// In watts.
            power: Option<f64>,
            description: Option<String>,
            community: Secret<String>,
            mac: ([u8; 6], ::std::net::IpAddr),
            #[sync(local)]
            remote_id: Option<i64>,
        }
    });
    insta::assert_snapshot!("a_model_with_every_key", pretty(expanded));
}

#[test]
fn a_model_whose_parent_is_an_attribute() {
    let expanded = crate::model::derive(quote! {
        struct Country {
            #[sync(id)]
            code: CountryCode,
            #[sync(parent = Region)]
            region: String,
        }
    });
    insta::assert_snapshot!("a_model_whose_parent_is_an_attribute", pretty(expanded));
}

#[test]
fn a_model_that_nests_in_itself() {
    let expanded = crate::model::derive(quote! {
        struct Location {
            #[sync(id)]
            slug: String,
            #[sync(parent = Self)]
            within: Option<String>,
        }
    });
    insta::assert_snapshot!("a_model_that_nests_in_itself", pretty(expanded));
}

#[test]
fn a_faulty_model_is_repaired() {
    let expanded = crate::model::derive(quote! {
        #[sync(name = "Country")]
        struct Country {
            #[sync(di)]
            slug: String,
            #[sync(local, parent = Region)]
            region: String,
        }
    });
    insta::assert_snapshot!("a_faulty_model_is_repaired", pretty(expanded));
}

#[test]
fn something_that_cannot_be_a_model_is_made_up_for() {
    let expanded = crate::model::derive(quote! {
        pub enum Status {
            Active,
            Retired,
        }
    });
    insta::assert_snapshot!("something_that_cannot_be_a_model_is_made_up_for", pretty(expanded));
}

#[test]
fn a_data_set() {
    let expanded = crate::dataset::derive(quote! {
        #[derive(Dataset, Default)]
        struct World {
            regions: Table<Region>,
            countries: diffsync_core::Table<geo::Country>,
        }
    });
    insta::assert_snapshot!("a_data_set", pretty(expanded));
}

#[test]
fn a_job_with_variables() {
    let arguments = quote! {
        source = CountriesFile,
        target = crate::Inventory,
        id = "countries",
        name = "Countries to inventory",
        kind = data_target,
        source_label = "The list",
        target_icon = "inventory.svg",
        dryrun_default = false,
        hidden = true,
        concurrency = 4,
    };
    let item = quote! {
        /// Keeps the inventory's countries in line with the published list.
        #[derive(Debug)]
        pub struct CountriesToInventory {
            /// Path of the countries file.
            #[var(default = "data/countries.json")]
            file: PathBuf,
            #[var(env = "INVENTORY_URL", group = "Inventory")]
            inventory: Url,
            #[var(default = -4)]
            r#type: i32,
            token: Option<Secret<String>>,
        }
    };
    insta::assert_snapshot!("a_job_with_variables", pretty(crate::job::expand(arguments, &item)));
}

#[test]
fn a_job_without_variables() {
    let expanded = crate::job::expand(
        quote!(source = File, target = File),
        &quote!(
            struct FileToFile;
        ),
    );
    insta::assert_snapshot!("a_job_without_variables", pretty(expanded));
}

#[test]
fn a_job_without_a_source_is_made_up_for() {
    let expanded = crate::job::expand(
        quote!(target = File),
        &quote!(
            struct FileToFile {
                path: PathBuf,
            }
        ),
    );
    insta::assert_snapshot!("a_job_without_a_source_is_made_up_for", pretty(expanded));
}

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
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for round in 0..20_000 {
        let mut input = parsed(INPUTS[random.below(INPUTS.len())]);
        for _ in 0..=random.below(6) {
            input = mutated(input, &mut random);
        }
        let is_item = syn::parse2::<syn::Item>(input.clone()).is_ok();
        for (entry, emits_its_input) in ENTRIES.iter().zip([false, false, true]) {
            let expanded = entry(input.clone());
            assert!(
                syn::parse2::<syn::File>(expanded.clone()).is_ok() || (emits_its_input && !is_item),
                "in round {round}, {input}\nbecame {expanded}"
            );
        }
    }
}

/// The three macros. A job's arguments are the tokens in the last parentheses of its input.
const ENTRIES: [fn(TokenStream) -> TokenStream; 3] = [crate::model::derive, crate::dataset::derive, |input| {
    let groups = input.clone().into_iter().filter_map(|token| match token {
        TokenTree::Group(group) => Some(group.stream()),
        _ => None,
    });
    crate::job::expand(groups.last().unwrap_or_default(), &input)
}];

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
];

/// What is put in the place of something, two spaces between each.
const VOCABULARY: &str = r#"
struct  enum  union  pub  fn  impl  where  for  dyn  Self  where Self: Copy  impl Copy  <T>  <'a>  r#type  Region  slug
String  Option<String>  Secret<String>  Option<Secret<u8>>  Table<Region>  Table  &'static str  &str  f64  [u8; 4]
(u8, String)  *const u8  !  ::  <  >  =  ,  ;  :  -  #  'a  @  $  |  &  ..  {}  ()  []  (source = A, target = B)  { a: u8 }
"text"  ""  "Not A Name"  b"bytes"  'c'  c"c"  0  4  -4  1.5  1e999  99999999999999999999999999  1_usize  true  false
sync  var  job  id  local  parent  name  parnet  source  target  kind  data_source  default  env  group  help  concurrency
hidden  dryrun_default  #[sync(id)]  #[sync(local, parent = Self)]  #[sync(parent(Self, a = b))]  #[sync()]  #[sync]
#[sync = 4]  #[var(default = "x")]  #[var(default)]  #[doc = "text"]  #![doc]  /// Documentation.
"#;

/// A word of the vocabulary.
fn word(random: &mut Random) -> TokenStream {
    let words: Vec<&str> = VOCABULARY.trim().split('\n').flat_map(|line| line.split("  ")).collect();
    parsed(words[random.below(words.len())])
}

fn parsed(text: &str) -> TokenStream {
    TokenStream::from_str(text).unwrap()
}

/// The tokens with one of them, here or in a group among them, left out, doubled, swapped or put in another's place.
fn mutated(tokens: TokenStream, random: &mut Random) -> TokenStream {
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
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 32).unwrap() % bound
    }
}
