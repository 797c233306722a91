//! Everything that CloudFormation's schemas allow, from the template's shape into the SDK's and back.

use aws_sdk_wafv2::{Client, Config, config};
use serde_json::{Map, Value, json};

use crate::resource::Handler;
use crate::resource::tags::Tags;
use crate::resource::wafv2::logging_configuration::{self, LoggingConfiguration};
use crate::resource::wafv2::sdk;
use crate::resource::wafv2::web_acl::{self, Wafv2WebAcl, WebAcl};

const WEB_ACL: &str = include_str!("../facts/aws-wafv2-webacl.json");
const LOGGING_CONFIGURATION: &str = include_str!("../facts/aws-wafv2-loggingconfiguration.json");

/// Objects of which exactly one property is set.
const KINDS: [&str; 11] = [
    "Condition",
    "CookieMatchPattern",
    "DefaultAction",
    "FieldToMatch",
    "HeaderMatchPattern",
    "JsonMatchPattern",
    "OverrideAction",
    "RateBasedStatementCustomKey",
    "ResponseInspection",
    "RuleAction",
    "Statement",
];

/// The second name of `SearchString`, which has tests of its own.
const SECOND_NAME: &str = "SearchStringBase64";

struct Schema(Value);

impl Schema {
    fn read(facts: &str) -> Self {
        Self(serde_json::from_str(facts).expect("facts are JSON"))
    }

    /// Values that together set every property there is, each as often as it has kinds.
    fn samples(&self) -> Vec<Value> {
        let read_only: Vec<&str> =
            self.0["readOnly"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        let mut samples = self.of(&self.0["schema"], 0);
        for sample in &mut samples {
            sample.as_object_mut().expect("properties").retain(|name, _| !read_only.contains(&name.as_str()));
        }
        samples
    }

    /// Samples of a schema; `depth` counts the statements around.
    fn of(&self, schema: &Value, depth: usize) -> Vec<Value> {
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            if name == "Statement" && depth == 2 {
                return vec![json!({"LabelMatchStatement": {"Key": "a:b", "Scope": "LABEL"}})];
            }
            let depth = depth + usize::from(name == "Statement");
            let definition = &self.0["definitions"][name];
            return if KINDS.contains(&name) { self.kinds(definition, depth) } else { self.of(definition, depth) };
        }
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            return words.iter().rev().take(2).cloned().collect();
        }
        if schema.get("json").is_some() {
            return vec![json!({})];
        }
        match schema["type"].as_str().unwrap_or("object") {
            "boolean" => vec![json!(false), json!(true)],
            "integer" | "number" => vec![schema.get("minimum").cloned().unwrap_or(json!(7)), json!(77)],
            "string" => vec![json!("x"), json!("x-y")],
            "array" => self.of(&schema["items"], depth).into_iter().map(|item| json!([item])).collect(),
            "object" => self.objects(schema, depth),
            other => panic!("a schema of type {other}"),
        }
    }

    fn properties<'a>(&'a self, schema: &'a Value) -> impl Iterator<Item = (String, &'a Value)> {
        let named = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let by_pattern = schema.get("patternProperties").and_then(Value::as_object).into_iter().flatten();
        named
            .map(|(name, schema)| (name.clone(), schema))
            .chain(by_pattern.map(|(_, schema)| ("API_GATEWAY".to_owned(), schema)))
            .filter(|(name, _)| name != SECOND_NAME)
    }

    fn kinds(&self, schema: &Value, depth: usize) -> Vec<Value> {
        let of = |(name, schema): (String, &Value)| -> Vec<Value> {
            self.of(schema, depth).into_iter().map(|sample| json!({name.clone(): sample})).collect()
        };
        self.properties(schema).flat_map(of).collect()
    }

    /// As many objects as the property with the most samples has; and one with what is required alone.
    fn objects(&self, schema: &Value, depth: usize) -> Vec<Value> {
        let properties: Vec<(String, Vec<Value>)> =
            self.properties(schema).map(|(name, schema)| (name, self.of(schema, depth))).collect();
        let most = properties.iter().map(|(_, samples)| samples.len()).max().unwrap_or(1);
        let mut objects: Vec<Value> = (0..most)
            .map(|index| {
                let nth =
                    |(name, samples): &(String, Vec<Value>)| (name.clone(), samples[index % samples.len()].clone());
                Value::Object(properties.iter().map(nth).collect())
            })
            .collect();
        let required = schema.get("required").and_then(Value::as_array);
        // Of two names one is required, which a schema does not say.
        let is_required =
            |name: &str| name == "SearchString" || required.is_some_and(|names| names.iter().any(|it| it == name));
        let bare: Map<String, Value> = properties
            .iter()
            .filter(|(name, _)| is_required(name))
            .map(|(name, samples)| (name.clone(), samples[0].clone()))
            .collect();
        if !bare.is_empty() {
            objects.push(Value::Object(bare));
        }
        objects
    }
}

/// The web ACL that WAF would answer with, when it keeps what it was sent.
fn echoed(client: &Client, acl: &WebAcl) -> sdk::WebAcl {
    let create = web_acl::with_everything(client.create_web_acl(), acl).expect("sayable");
    let sent = create.as_input().clone().build().expect("complete");
    sdk::WebAcl::builder()
        .name(acl.name.clone().unwrap_or_default())
        .id("c1a2")
        .arn("arn")
        .set_default_action(sent.default_action)
        .set_description(sent.description)
        .set_rules(sent.rules)
        .set_visibility_config(sent.visibility_config)
        .set_captcha_config(sent.captcha_config)
        .set_challenge_config(sent.challenge_config)
        .set_custom_response_bodies(sent.custom_response_bodies)
        .set_token_domains(sent.token_domains)
        .set_association_config(sent.association_config)
        .set_data_protection_config(sent.data_protection_config)
        .set_application_config(sent.application_config)
        .set_monetization_config(sent.monetization_config)
        .set_on_source_d_do_s_protection_config(sent.on_source_d_do_s_protection_config)
        .build()
        .expect("complete")
}

#[test]
fn every_web_acl_that_cloudformation_allows_comes_back_as_it_went() {
    let client = Client::from_conf(Config::builder().behavior_version(config::BehaviorVersion::latest()).build());
    let samples = Schema::read(WEB_ACL).samples();
    assert!(samples.len() > 100, "only {} samples", samples.len());
    for mut sample in samples {
        sample["Name"] = json!("orders");
        sample["Tags"] = json!([]);
        let mut acl: WebAcl =
            serde_json::from_value(sample.clone()).unwrap_or_else(|error| panic!("{error}: {sample:#}"));
        Wafv2WebAcl::complete(&mut acl);
        let back = web_acl::from_sdk(echoed(&client, &acl), &sdk::Scope::from(acl.scope.as_str()), Tags::default());
        assert_eq!(back.as_ref(), Ok(&acl));
        assert!(contains(&serde_json::to_value(acl).expect("JSON"), &sample), "something of this was lost: {sample:#}");
    }
}

#[test]
fn every_logging_configuration_that_cloudformation_allows_comes_back_as_it_went() {
    for sample in Schema::read(LOGGING_CONFIGURATION).samples() {
        let configuration: LoggingConfiguration = serde_json::from_value(sample.clone()).expect("fits");
        let sent = logging_configuration::to_sdk(&configuration).expect("sayable");
        assert_eq!(logging_configuration::from_sdk(sent), Ok(configuration.clone()));
        assert!(contains(&serde_json::to_value(configuration).expect("JSON"), &sample), "lost: {sample:#}");
    }
}

/// Whether all of `part` is in `whole`, which may have more: defaults.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, part)| whole.get(name).is_some_and(|whole| contains(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| contains(whole, part))
        }
        (whole, part) => whole == part,
    }
}
