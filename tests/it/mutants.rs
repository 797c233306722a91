//! Mistakes in other people's templates, one in each: paystack finds what cfn-lint finds, of the kinds that it checks. As `wild`,
//! with the directory that `PAYSTACK_TEMPLATES` names, and without it there is nothing to do.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use paystack::diagnostic::Source;
use paystack::identity::ResourceType;
use paystack::resource::row;
use paystack::template::plain;
use serde_json::{Map, Value, json};

use crate::harness::binary::Code;
use crate::wild::{DIRECTORY, Linter, Template};

/// What the service refuses, and CloudFormation's facts do not: they take any object here.
const ONLY_HERE: [&str; 2] =
    ["AWS::DynamoDB::Table: KeySchema is {\"Bogus\":1}", "AWS::Logs::LogGroup: FieldIndexPolicies is [{\"Bogus\":1}]"];

/// A template with one mistake in it.
struct Mutant {
    file: PathBuf,
    /// `AWS::SQS::Queue: VisibilityTimeout is 43201`.
    mistake: String,
}

#[test]
fn every_mistake_that_cfn_lint_finds_is_found() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let place = tempfile::tempdir().expect("a directory");
    let linter = Linter::installed();
    let (mut mutants, mut known) = (Vec::new(), BTreeSet::new());
    for path in fs::read_dir(&directory).expect("the directory can be read").flatten().map(|entry| entry.path()) {
        if let Some(template) = sound(&path, &linter, place.path()) {
            breed(&template, place.path(), &mut known, &mut mutants);
        }
    }
    assert!(mutants.len() > 300, "{} mistakes", mutants.len());
    let files: Vec<&Path> = mutants.iter().map(|mutant| mutant.file.as_path()).collect();
    let linted: BTreeMap<PathBuf, BTreeSet<String>> = linter.all_errors(&files);
    let unlike = |mutant: &&Mutant| {
        let is_found = Template::of(&mutant.file).validate().code != Code::Exit(0);
        is_found != linted.contains_key(&mutant.file)
    };
    let halves = mutants.split_at(mutants.len() / 2);
    let mut unlike = std::thread::scope(|scope| {
        let half = |half: &'_ [Mutant]| half.iter().filter(unlike).map(|it| it.mistake.clone()).collect::<Vec<_>>();
        let first = scope.spawn(move || half(halves.0));
        let mut unlike = half(halves.1);
        unlike.extend(first.join().expect("a half"));
        unlike
    });
    eprintln!("{} mistakes", mutants.len());
    unlike.sort();
    assert_eq!(unlike, ONLY_HERE, "paystack and cfn-lint do not agree");
}

/// A template of no macros in which nothing is wrong.
fn sound(path: &Path, linter: &Linter, place: &Path) -> Option<Value> {
    let text = fs::read_to_string(path).ok().filter(|text| !text.contains("Transform") && !text.contains("!Rain"))?;
    let template = plain(&Source::new(path, text)).ok()?;
    template["Resources"].as_object()?;
    let file = place.join("sound.json");
    fs::write(&file, template.to_string()).expect("a file can be written");
    let is_sound = linter.errors(&file).is_empty() && Template::of(&file).validate().code == Code::Exit(0);
    is_sound.then_some(template)
}

/// Makes each mistake once, in whichever template it can be made first.
fn breed(template: &Value, place: &Path, known: &mut BTreeSet<String>, mutants: &mut Vec<Mutant>) {
    for (logical_id, resource) in template["Resources"].as_object().into_iter().flatten() {
        let name = resource["Type"].as_str().unwrap_or_default();
        if row(&ResourceType::from(name)).is_none() {
            continue;
        }
        let given = resource["Properties"].as_object().cloned().unwrap_or_default();
        for (what, properties) in mistakes(name, &given) {
            let mistake = format!("{name}: {what}");
            if known.insert(mistake.clone()) {
                let mut wrong = template.clone();
                wrong["Resources"][logical_id]["Properties"] = Value::Object(properties);
                let file = place.join(format!("{}.json", mutants.len()));
                fs::write(&file, wrong.to_string()).expect("a file can be written");
                mutants.push(Mutant { file, mistake });
            }
        }
    }
}

/// What can be wrong with the properties of a type, each by itself.
fn mistakes(name: &str, given: &Map<String, Value>) -> Vec<(String, Map<String, Value>)> {
    let path = format!("src/resource/facts/{}.json", name.to_lowercase().replace("::", "-"));
    let facts = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("every type has facts");
    let facts: Value = serde_json::from_str(&facts).expect("facts are JSON");
    let schema = &facts["schema"];
    let set = |property: &str, value: Value| {
        let mut wrong = given.clone();
        wrong.insert(property.to_owned(), value.clone());
        let shown: String = value.to_string().chars().take(30).collect();
        (format!("{property} is {shown}"), wrong)
    };
    let mut mistakes = vec![set("Bogus", json!(1)), set("Description", json!({"Ref": "Nobody"}))];
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for property in required.filter(|property| given.contains_key(*property)) {
        let mut without = given.clone();
        without.remove(property);
        mistakes.push((format!("no {property}"), without));
    }
    for (property, schema) in schema["properties"].as_object().into_iter().flatten() {
        let wrong = match schema["type"].as_str() {
            _ if schema.get("enum").is_some() => vec![json!("NOPE")],
            Some("integer" | "number") => {
                let beyond = |bound: &str, by: i64| Some(json!(schema[bound].as_i64()? + by));
                [Some(json!("many")), beyond("maximum", 1), beyond("minimum", -1)].into_iter().flatten().collect()
            }
            Some("boolean") => vec![json!("perhaps")],
            Some("string") => {
                let longest = schema["maxLength"].as_u64().filter(|longest| *longest < 2_000);
                let longer = longest.map(|longest| json!("a".repeat(usize::try_from(longest).unwrap_or(0) + 1)));
                std::iter::once(json!({"a": 1})).chain(longer).collect()
            }
            Some("array") => vec![json!({"a": 1}), json!([{"Bogus": 1}])],
            None if schema.get("$ref").is_some() => vec![json!({"Bogus": 1})],
            _ => Vec::new(),
        };
        mistakes.extend(wrong.into_iter().map(|value| set(property, value)));
    }
    mistakes
}
