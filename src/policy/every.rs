//! What holds for every type: names, tags, and that everything can go again.

use serde_json::Value;

use super::dynamodb::said;
use super::{Breach, Level, On, Rule, Stack, broken_at, unless};
use crate::property_path::PropertyPath;
use crate::resolved::Subject;

pub const RULES: &[Rule] = &[
    Rule {
        id: "name-suffix",
        level: Level::Mandatory,
        demand: "Every name carries the environment's suffix",
        reason: "two environments of one account would take each other's names",
        fix: "end the name in `-${EnvironmentSuffix}`, or leave it out: paystack makes one of stack and logical id",
        on: On::Every,
        breaches: suffix,
        kept_by: "Orders: { Type: AWS::SQS::Queue, Properties: { QueueName: orders-dev } }",
        broken_by: "Orders: { Type: AWS::SQS::Queue, Properties: { QueueName: orders } }",
    },
    Rule {
        id: "required-tags",
        level: Level::Mandatory,
        demand: "Everything that takes tags has those that the project requires, with an allowed value",
        reason: "costs and incidents are assigned by tags",
        fix: "add the tag, or set it for all under `[tags]` or `[environments.NAME.tags]` in paystack.toml",
        on: On::Every,
        breaches: tags,
        kept_by: "Orders: { Type: AWS::SQS::Queue, Properties: { Tags: [{ Key: Owner, Value: payments-team }] } }",
        broken_by: "Orders: { Type: AWS::SQS::Queue, Properties: { Tags: [{ Key: Owner, Value: nobody }] } }",
    },
    Rule {
        id: "deletion-protection",
        level: Level::Mandatory,
        demand: "Nothing is protected from deletion",
        reason: "a stack that cannot be destroyed leaves behind what nobody looks after",
        fix: "set it to false, or leave it out",
        on: On::Every,
        breaches: protection,
        kept_by: "Logs: { Type: AWS::Logs::LogGroup, Properties: { DeletionProtectionEnabled: false } }",
        broken_by: "Logs: { Type: AWS::Logs::LogGroup, Properties: { DeletionProtectionEnabled: true } }",
    },
];

fn suffix(subject: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let Some((property, name)) = subject.name() else { return Vec::new() };
    let suffix = stack.policy.suffix.as_str();
    unless(carries(name, suffix), || broken_at(property, format!("is named `{name}`, without the suffix `{suffix}`")))
}

/// Whether a name has the suffix as a word of its own. An unknown may become anything.
fn carries(name: &str, suffix: &str) -> bool {
    let is_end = |it: Option<char>| it.is_none_or(|it| !it.is_ascii_alphanumeric());
    suffix.is_empty()
        || crate::unknown::is_in(name)
        || name.match_indices(suffix).any(|(start, found)| {
            is_end(name[..start].chars().next_back()) && is_end(name[start + found.len()..].chars().next())
        })
}

fn tags(subject: &Subject<'_>, stack: &Stack<'_>) -> Vec<Breach> {
    let takes_tags =
        crate::resource::row(&subject.resource_type().into()).is_some_and(|row| row.facts().tag_property().is_some());
    if !takes_tags {
        return Vec::new();
    }
    let tag = |key: &str| {
        let tags = subject.properties["Tags"].as_array()?;
        tags.iter().find(|tag| tag["Key"] == key).and_then(|tag| tag["Value"].as_str())
    };
    let breach = |(key, allowed): (&String, &Vec<String>)| {
        let what = match tag(key) {
            None => format!("has no tag `{key}`"),
            Some(value) if allowed.is_empty() || allowed.iter().any(|it| it == value) => return None,
            Some(value) => format!("has the tag `{key}` with the value `{value}`, not one of {}", allowed.join(", ")),
        };
        Some(Breach { at: PropertyPath::of("Tags"), what })
    };
    stack.policy.settings.tags.iter().filter_map(breach).collect()
}

fn protection(subject: &Subject<'_>, _: &Stack<'_>) -> Vec<Breach> {
    let properties = ["DeletionProtectionEnabled", "DeletionProtection", "EnableTerminationProtection"];
    let is_on = |value: &Value| *value == true || value == "true" || value == "ACTIVE";
    let on = properties.into_iter().map(|property| said(subject.properties, property)).find(|(_, value)| is_on(value));
    on.map(|(at, _)| vec![Breach { at, what: "is protected from deletion".to_owned() }]).unwrap_or_default()
}

#[cfg(test)]
mod unit_tests {
    use super::carries;

    #[test]
    fn a_suffix_is_a_word_of_the_name() {
        for name in ["orders-dev", "payments-dev/slow-queries", "payments-us-east-1-dev", "dev", "/aws/lambda/x-dev"] {
            assert!(carries(name, "dev"), "{name}");
        }
        for name in ["orders", "developers", "orders-devel", "mydev"] {
            assert!(!carries(name, "dev"), "{name}");
        }
        assert!(carries("orders-a-b", "a-b"));
    }
}
