//! What the sources have to keep: who knows AWS, who waits, who prints, and that no resource type lacks a part.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use paystack::resource::needs::needs;
use paystack::resource::{Row, TYPES};
use serde_json::{Value, json};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn only_handlers_and_clients_know_the_sdk() {
    let uses = uses_anywhere_but(&["src/resource/", "src/aws/", "src/state/dynamodb"], &["aws_sdk_"]);
    assert_eq!(uses, [""; 0]);
}

#[test]
fn what_decides_does_not_wait() {
    let pure = [
        "crates/template/src",
        "src/policy",
        "src/capacity",
        "src/evidence",
        "src/grants.rs",
        "src/deployer.rs",
        "src/migrate",
        "src/plan",
        "src/budget",
        "src/inventory/waiting.rs",
        "src/desired.rs",
        "src/check.rs",
        "src/apply/schedule.rs",
        "src/apply/chronicle.rs",
        "src/apply/durations.rs",
        "src/state/lease.rs",
        "src/resource/facts",
        "src/resource/facts.rs",
    ];
    for path in pure {
        assert_eq!(uses_outside_of(&[], path, &["async fn", "async {", "async move", ".await"]), [""; 0]);
    }
}

#[test]
fn the_map_has_every_room_once() {
    let map =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).expect("the map can be read");
    let (_, rooms) = map.split_once("## The rooms\n").expect("it shows the rooms");
    let (rooms, _) = rooms.split_once("\n## ").expect("something follows");
    let cells = rooms.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" |"));
    let named: Vec<&str> = cells.flat_map(|(cell, _)| cell.split(", ")).map(|path| path.trim_matches('`')).collect();
    let mut seen = BTreeSet::new();
    for path in named {
        assert!(seen.insert(path), "`{path}` stands in the map twice");
        let is_there = |within: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(within).join(path).exists();
        assert!(path.contains('<') || is_there("") || is_there("src"), "there is no `{path}`");
    }
}

#[test]
fn only_the_command_line_prints() {
    let words = ["print!(", "println!(", "stdout()", "stderr()"];
    assert_eq!(uses_anywhere_but(&["src/cli/", "src/main.rs"], &words), [""; 0]);
}

#[test]
fn only_main_reads_the_machine() {
    let words = [
        "env::current_dir",
        "env::temp_dir",
        "env::var",
        "env::args",
        "stdin()",
        "SystemTime::now",
        "Instant::now",
        "Timestamp::now",
        "Zoned::now",
        "thread::sleep",
        "time::sleep",
        "RandomState",
    ];
    assert_eq!(uses_anywhere_but(&["src/main.rs", "src/aws/clock.rs"], &words), [""; 0]);
}

#[test]
fn only_main_listens_for_signals_and_ends_the_process() {
    assert_eq!(uses_anywhere_but(&["src/main.rs"], &["tokio::signal", "process::exit", "process::abort"]), [""; 0]);
}

#[test]
fn every_program_that_is_run_is_counted() {
    // What asks a Python for its version answers at once.
    let places = ["src/children.rs", "src/local.rs"];
    assert_eq!(uses_anywhere_but(&places, &[".spawn()", ".output()"]), [""; 0]);
}

#[test]
fn every_handler_is_in_the_table() {
    let table = read("src/resource/registry.rs");
    for (path, code) in rust_files("src/resource") {
        for (_, rest) in code.match_indices("impl Handler for ").map(|(at, found)| code.split_at(at + found.len())) {
            let handler = rest.split_whitespace().next().expect("a handler has a name");
            assert!(table.contains(&format!("::{handler}>(")), "`{handler}` of {path} is not in the table");
        }
    }
}

#[test]
fn every_type_has_a_conformance_test_that_is_run() {
    let tests: String = rust_files("tests/it/types").into_values().collect();
    assert!(!tests.contains("#[ignore"), "what the emulator lacks is filled in by `tests/localstack/gaps`");
    let untested = TYPES.iter().map(type_name).filter(|name| !tests.contains(&format!("\"{name}\"")));
    assert_eq!(untested.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn every_type_is_in_an_example() {
    let examples: String = files("examples", "yaml").iter().map(|path| read(path) + "\n").collect();
    let unshown = TYPES.iter().map(type_name).filter(|name| !examples.contains(&format!("Type: {name}\n")));
    assert_eq!(unshown.collect::<Vec<_>>(), [""; 0]);
}

/// What a handler takes beside CloudFormation's properties: paystack's own, which no template can set.
const OUR_OWN: [(&str, &str); 3] = [
    ("AWS::ApiGateway::Deployment", "ContentDigest"),
    ("AWS::ApiGateway::RestApi", "BodyDigest"),
    ("AWS::DynamoDB::GlobalTable", "Tags"),
];

#[test]
fn every_property_is_handled_or_refused() {
    for row in &TYPES {
        let name = type_name(row);
        let documented: BTreeSet<String> = row.facts().properties().map(str::to_owned).collect();
        let refused = row.handler.refused().iter().map(|(name, _)| (*name).to_owned());
        let refused: BTreeSet<String> = refused.filter(|path| !path.contains('.')).collect();
        let Taken::Fields(mut handled) = taken_at(row, &[]) else { panic!("{name} takes unknown properties") };
        handled.retain(|field| !OUR_OWN.contains(&(name, field.as_str())));
        let ignored: Vec<_> = documented.iter().filter(|it| !handled.contains(*it) && !refused.contains(*it)).collect();
        assert!(ignored.is_empty(), "{name} neither handles nor refuses {ignored:?}");
        let invented: Vec<_> = handled.union(&refused).filter(|it| !documented.contains(*it)).collect();
        assert!(invented.is_empty(), "CloudFormation knows no {invented:?} of {name}");
        let both: Vec<_> = handled.intersection(&refused).collect();
        assert!(both.is_empty(), "{name} handles and refuses {both:?}");
    }
}

#[test]
fn every_field_within_a_property_is_handled_or_refused() {
    for row in &TYPES {
        let facts: Value = serde_json::from_str(&read(&facts_path(row))).expect("facts are JSON");
        let mut comparison = Comparison {
            row,
            facts: &facts,
            refused: row.handler.refused().iter().map(|(name, _)| *name).collect(),
            seen: BTreeSet::new(),
            differences: Vec::new(),
        };
        for (name, schema) in properties_of(&facts, &facts["schema"]) {
            if !comparison.refused.remove(name.as_str()) && row.facts().has_property(&name) {
                comparison.compare_within(schema, &mut vec![Step::Key(name)]);
            }
        }
        let Comparison { refused, differences, .. } = comparison;
        assert!(differences.is_empty(), "{}", differences.join("\n"));
        assert!(refused.is_empty(), "CloudFormation knows no {refused:?} of {}", type_name(row));
    }
}

/// The services, as calls name them.
const SERVICES: [&str; 10] =
    ["apigateway", "cloudwatch", "dynamodb", "iam", "lambda", "logs", "sns", "sqs", "tagging", "wafv2"];

#[test]
fn every_call_of_a_handler_is_in_the_deployers_policy() {
    let mut missing = Vec::new();
    let mut made = BTreeSet::new();
    for (path, code) in rust_files("src/resource") {
        let calls = calls(&code);
        // A file of a type's own, or of the directory beside it; what is shared belongs to any type of its service.
        let own = type_of(&path, &code);
        let service = path.split('/').nth(2).unwrap_or_default();
        let allowed: BTreeSet<String> = needs()
            .filter(|need| match (need.resource_type, &own) {
                (None, _) => true,
                (Some(name), Some(own)) => name == own,
                (Some(name), None) => name.to_lowercase().contains(&format!("::{service}::")),
            })
            .flat_map(|need| need.calls.iter().map(|call| call.to_lowercase()))
            .collect();
        if !path.starts_with("src/resource/needs") {
            missing.extend(calls.difference(&allowed).map(|call| format!("{path} calls {call}")));
            made.extend(calls);
        }
    }
    assert!(missing.is_empty(), "not among the needs of their types:\n{}", missing.join("\n"));
    let needed: BTreeSet<String> = needs().flat_map(|need| need.calls).map(|call| call.to_lowercase()).collect();
    let idle: Vec<_> = needed.difference(&made).collect();
    assert!(idle.is_empty(), "nobody makes these calls: {idle:?}");
}

/// The calls in a file, in lower case: those that it names, and those that it makes of a client.
fn calls(code: &str) -> BTreeSet<String> {
    let mut calls = BTreeSet::new();
    let joined: String = code.split_whitespace().collect();
    for service in SERVICES {
        for (_, rest) in
            joined.match_indices(&format!("\"{service}.")).map(|(at, found)| joined.split_at(at + found.len()))
        {
            if let Some((call, _)) = rest.split_once('"').filter(|(call, _)| call.starts_with(char::is_uppercase)) {
                calls.insert(format!("{service}.{}", call.to_lowercase()));
            }
        }
        for (_, rest) in
            joined.match_indices(&format!("cx.{service}.")).map(|(at, found)| joined.split_at(at + found.len()))
        {
            let call = rest.split('(').next().unwrap_or_default().replace('_', "");
            calls.insert(format!("{service}.{call}"));
        }
    }
    calls
}

fn type_of(path: &str, code: &str) -> Option<String> {
    let named = |code: &str| {
        let (_, rest) = code.split_once("const TYPE: &'static str = \"")?;
        rest.split('"').next().map(str::to_owned)
    };
    let beside = format!("{}.rs", path.rsplit_once('/')?.0);
    let beside = || fs::read_to_string(Path::new(ROOT).join(&beside)).ok();
    named(code).or_else(|| named(&beside()?))
}

#[test]
fn what_is_committed_names_no_machine() {
    let machine = ["root", "work", "home", "Users"].map(|directory| format!("/{directory}/"));
    for path in committed() {
        let Ok(text) = fs::read_to_string(Path::new(ROOT).join(&path)) else { continue };
        for directory in &machine {
            assert!(!text.contains(directory), "{path} names `{directory}`");
        }
        let is_lock = path.ends_with("requirements.txt");
        assert!(!is_lock || !text.contains("://"), "{path} names the registry it was made with");
    }
    let lock = read("Cargo.lock");
    let sources = lock.lines().filter(|line| line.starts_with("source = "));
    let others = sources.filter(|line| !line.contains("\"registry+https://github.com/rust-lang/crates.io-index\""));
    assert_eq!(others.collect::<Vec<_>>(), [""; 0]);
}

/// Structs with an enum among their fields (the bytes to look for have one of two names): serde lists nothing of them.
const NOT_LISTED: [&str; 1] = ["ByteMatchStatement"];

/// Where in some properties: the steps to a value.
#[derive(Debug, Clone)]
enum Step {
    Key(String),
    Item,
}

/// One type's facts beside its handler.
struct Comparison<'a> {
    row: &'a Row,
    facts: &'a Value,
    /// What the handler refuses and the facts have not been seen to have.
    refused: BTreeSet<&'a str>,
    /// Definitions, each of which is compared where it is met first.
    seen: BTreeSet<String>,
    differences: Vec<String>,
}

impl Comparison<'_> {
    /// Compares what the facts say of a value within a property with the fields that its struct has.
    fn compare_within(&mut self, schema: &Value, path: &mut Vec<Step>) {
        // What stands in place of a package when it comes to the handler is paystack's own.
        let is_packaged = schema["packaged"] == true;
        let is_known = schema["$ref"].as_str().is_some_and(|name| !self.seen.insert(name.to_owned()));
        if is_packaged || is_known {
            return;
        }
        let schema = followed(self.facts, schema);
        if schema.get("items").is_some() {
            path.push(Step::Item);
            self.compare_within(&schema["items"], path);
            path.pop();
            return;
        }
        let documented = properties_of(self.facts, schema);
        if documented.is_empty() {
            return;
        }
        let steps: Vec<_> =
            path.iter().map(|step| if let Step::Key(name) = step { name.as_str() } else { "*" }).collect();
        let place = steps.join(".");
        let handled: BTreeSet<_> = match taken_at(self.row, path) {
            Taken::Fields(handled) => handled,
            Taken::OneOf(handled) => handled.into_iter().filter(|name| documented.contains_key(name)).collect(),
            Taken::Anything => return,
            Taken::Nothing(_) if steps.last().is_some_and(|name| NOT_LISTED.contains(name)) => return,
            Taken::Nothing(error) => {
                self.differ(format!("{place} cannot be asked for its fields: {error}"));
                return;
            }
        };
        for name in handled.iter().filter(|name| !documented.contains_key(*name)) {
            self.differ(format!("{place}.{name} is a field that CloudFormation does not know"));
        }
        for (name, schema) in documented {
            if handled.contains(&name) {
                path.push(Step::Key(name));
                self.compare_within(schema, path);
                path.pop();
            } else if !self.refused.remove(format!("{place}.{name}").as_str()) {
                self.differ(format!("{place}.{name} is neither handled nor refused"));
            }
        }
    }

    fn differ(&mut self, difference: String) {
        self.differences.push(format!("{} {difference}", type_name(self.row)));
    }
}

fn followed<'a>(facts: &'a Value, schema: &'a Value) -> &'a Value {
    schema["$ref"].as_str().map_or(schema, |name| followed(facts, &facts["definitions"][name]))
}

fn properties_of<'a>(facts: &'a Value, schema: &'a Value) -> BTreeMap<String, &'a Value> {
    let properties = followed(facts, schema)["properties"].as_object();
    properties.into_iter().flatten().map(|(name, schema)| (name.clone(), schema)).collect()
}

/// What a handler takes at a place in its properties.
enum Taken {
    /// Only these, and it says so.
    Fields(BTreeSet<String>),
    /// One of these: an enum, which may be used in places where not all of it fits.
    OneOf(BTreeSet<String>),
    /// A document, kept as it is.
    Anything,
    Nothing(String),
}

/// Asks with a field that no type has: serde lists those that it knows.
fn taken_at(row: &Row, path: &[Step]) -> Taken {
    const PROBE: &str = "no such field";
    let probe = path.iter().rev().fold(json!({PROBE: "?"}), |value, step| match step {
        Step::Key(name) => json!({name: value}),
        Step::Item => json!([value]),
    });
    match row.handler.canonical(&probe) {
        Ok(kept) if kept.to_string().contains(PROBE) => Taken::Anything,
        Ok(_) => Taken::Nothing("what it does not know is dropped".to_owned()),
        Err(error) => {
            let known = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            if let Some(fields) = error.strip_prefix(&format!("unknown field `{PROBE}`, ")) {
                Taken::Fields(known(fields))
            } else if let Some(variants) = error.strip_prefix(&format!("unknown variant `{PROBE}`, ")) {
                Taken::OneOf(known(variants))
            } else {
                Taken::Nothing(error)
            }
        }
    }
}

fn type_name(row: &Row) -> &'static str {
    row.handler.resource_type()
}

fn facts_path(row: &Row) -> String {
    format!("src/resource/facts/{}.json", type_name(row).to_lowercase().replace("::", "-"))
}

/// The lines of paystack with one of these words, but for those of the places where it is allowed.
fn uses_anywhere_but(allowed: &[&str], words: &[&str]) -> Vec<String> {
    ["src", "crates/template/src"].into_iter().flat_map(|path| uses_outside_of(allowed, path, words)).collect()
}

/// Every line under `path` in which one of the words stands, but those of some directories and files.
fn uses_outside_of(allowed: &[&str], path: &str, words: &[&str]) -> Vec<String> {
    let files = rust_files(path).into_iter().filter(|(path, _)| !allowed.iter().any(|it| path.starts_with(it)));
    let lines = files.flat_map(|(path, code)| {
        let lines = code.lines().enumerate().map(|(index, line)| format!("{path}:{}: {}", index + 1, line.trim()));
        lines.collect::<Vec<_>>()
    });
    lines.filter(|line| words.iter().any(|word| line.contains(word))).collect()
}

/// The Rust files at or under a path, without comments and without tests: their lines keep their numbers.
fn rust_files(path: &str) -> BTreeMap<String, String> {
    let is_test = |path: &String| path.ends_with("/tests.rs") || path.ends_with("_tests.rs");
    files(path, "rs").into_iter().filter(|it| !is_test(it)).map(|path| (path.clone(), code(&read(&path)))).collect()
}

fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let without_comment =
        |line: &str| if line.trim_start().starts_with("//") { String::new() } else { line.to_owned() };
    text.lines().map(|line| without_comment(line) + "\n").collect()
}

/// The files with this extension at or under a path, relative to the repository.
fn files(path: &str, extension: &str) -> Vec<String> {
    let entries = walk(&Path::new(ROOT).join(path));
    let found: Vec<String> = entries.into_iter().filter(|path| path.ends_with(&format!(".{extension}"))).collect();
    assert!(!found.is_empty() || path == "src/policy", "there is nothing at `{path}`");
    found
}

fn walk(path: &Path) -> Vec<String> {
    if let Ok(entries) = fs::read_dir(path) {
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("the repository can be read").path()).collect();
        paths.sort();
        return paths.iter().flat_map(|path| walk(path)).collect();
    }
    let relative = path.strip_prefix(ROOT).expect("the path is in the repository");
    if path.is_file() { vec![relative.to_string_lossy().into_owned()] } else { Vec::new() }
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn committed() -> Vec<String> {
    let output = Command::new("git").args(["ls-files"]).current_dir(ROOT).output().expect("git runs");
    assert!(output.status.success(), "the sources are in a git repository");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}
