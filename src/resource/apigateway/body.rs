//! The OpenAPI document that an API is imported from, beside what is live of it. Pure.
//!
//! An API's document cannot be read back (an export is of a stage's snapshot). What can be read are its operations: each is
//! compared with what the document says of it, in the document's words, and what the document is silent on counts for nothing.
//! Everything else in it (schemas, validators, authorizers, responses of the gateway) is told apart by the document's digest,
//! which stands in a tag of the API: a change in the template shows, drift in AWS does not.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_apigateway::types::{Integration, IntegrationResponse, Method, RequestValidator, Resource};
use serde_json::{Map, Value, json};

/// How API Gateway's extension to OpenAPI names them.
pub const INTEGRATION: &str = "x-amazon-apigateway-integration";
const ANY: &str = "x-amazon-apigateway-any-method";
/// Says of an operation that IAM decides, or that nobody does.
pub const AUTH: &str = "x-amazon-apigateway-auth";
/// Names the validator of an operation, or of all operations of a document.
pub const VALIDATOR: &str = "x-amazon-apigateway-request-validator";
/// What a document's validators do, by name.
pub const VALIDATORS: &str = "x-amazon-apigateway-request-validators";
/// What is live is written with this name for API keys.
const KEY: &str = "api_key";

/// What stands in place of an operation of the document that AWS has not.
const NOT_THERE: &str = "not there";

const VERBS: [&str; 7] = ["delete", "get", "head", "options", "patch", "post", "put"];

/// What a document says of its API as a whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    pub name: Option<String>,
    pub description: Option<String>,
    pub api_key_source_type: Option<String>,
    pub binary_media_types: Option<BTreeSet<String>>,
    pub minimum_compression_size: Option<i32>,
    pub policy: Option<Value>,
}

impl Settings {
    pub fn of(document: &Value) -> Self {
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let media_types = document["x-amazon-apigateway-binary-media-types"].as_array();
        let size = document["x-amazon-apigateway-minimum-compression-size"].as_i64();
        let policy = &document["x-amazon-apigateway-policy"];
        Self {
            name: text(&document["info"]["title"]),
            description: text(&document["info"]["description"]),
            api_key_source_type: text(&document["x-amazon-apigateway-api-key-source"]),
            binary_media_types: media_types.map(|types| types.iter().filter_map(text).collect()),
            minimum_compression_size: size.and_then(|size| size.try_into().ok()),
            policy: policy.is_object().then(|| policy.clone()),
        }
    }
}

/// What is live, as a document with nothing but its operations and what validates them. Validators and authorizers are named by
/// their ids.
pub fn of_live(resources: &[Resource], validators: &[RequestValidator]) -> Value {
    let mut paths = Map::new();
    for resource in resources {
        let methods = resource.resource_methods.iter().flatten();
        let operations: Map<String, Value> =
            methods.map(|(verb, method)| (operation_name(verb), operation(method))).collect();
        if !operations.is_empty() {
            paths.insert(resource.path().unwrap_or_default().to_owned(), Value::Object(operations));
        }
    }
    let validators: Map<String, Value> = validators
        .iter()
        .map(|it| {
            let does = json!({
                "validateRequestBody": it.validate_request_body,
                "validateRequestParameters": it.validate_request_parameters,
            });
            (it.id().unwrap_or_default().to_owned(), does)
        })
        .collect();
    let key = json!({"type": "apiKey", "name": "x-api-key", "in": "header"});
    json!({"paths": paths, "components": {"securitySchemes": {KEY: key}}, VALIDATORS: validators})
}

/// Whether any method has its requests validated.
pub fn is_validated(resources: &[Resource]) -> bool {
    let mut methods = resources.iter().flat_map(|resource| resource.resource_methods.iter().flatten());
    methods.any(|(_, method)| method.request_validator_id().is_some_and(|id| !id.is_empty()))
}

/// Whether a document has the requests of any operation validated: it names what does it for all, or for one.
pub fn names_validator(document: &Value) -> bool {
    let names = |value: &Value| value[VALIDATOR].as_str().is_some_and(|name| !name.is_empty());
    operations(document, "").into_values().any(|operation| names(document) || names(operation.value))
}

/// How a document is imported, as far as it matters for what is to be found afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Import<'a> {
    /// What comes before every path: the document's base path, where it was asked for.
    pub base_path: &'a str,
    /// Operations that the document does not have stay.
    pub merges: bool,
}

/// Writes what is live in the words of the document that is wanted: only operations that differ stay different, in what differs.
pub fn in_words_of(live: &Value, wanted: &Value, import: Import<'_>) -> Value {
    let (were, are) = (operations(live, ""), operations(wanted, import.base_path));
    let mut said = wanted.clone();
    for ((path, verb), operation) in &are {
        match were.get(&(path.clone(), verb.clone())) {
            None => put(&mut said, &operation.path, verb, Value::String(NOT_THERE.to_owned())),
            Some(live) => {
                if let Some(differing) = differing(live.value, operation.value) {
                    put(&mut said, &operation.path, verb, differing);
                }
            }
        }
    }
    for (place, operation) in were.iter().filter(|(place, _)| !import.merges && !are.contains_key(*place)) {
        put(&mut said, &place.0, &place.1, operation.value.clone());
    }
    said
}

/// Puts an operation into a document. Where there is no room for it, what stands there is no document.
fn put(document: &mut Value, path: &str, verb: &str, operation: Value) {
    let Some(document) = document.as_object_mut() else { return };
    let paths = document.entry("paths").or_insert_with(|| json!({}));
    let Some(paths) = paths.as_object_mut() else { return };
    if let Some(verbs) = paths.entry(path).or_insert_with(|| json!({})).as_object_mut() {
        verbs.insert(verb.to_owned(), operation);
    }
}

struct Operation<'a> {
    /// As the document writes it.
    path: String,
    value: &'a Value,
}

/// The operations by path, as AWS has it, and verb.
fn operations<'a>(document: &'a Value, base: &str) -> BTreeMap<(String, String), Operation<'a>> {
    let mut operations = BTreeMap::new();
    for (path, verbs) in document["paths"].as_object().into_iter().flatten() {
        for (verb, value) in verbs.as_object().into_iter().flatten() {
            if self::verb(verb).is_some() {
                let at = format!("{base}{path}");
                let at = if at.len() > 1 { at.trim_end_matches('/').to_owned() } else { at };
                operations.insert((at, verb.clone()), Operation { path: path.clone(), value });
            }
        }
    }
    operations
}

/// The verb that an operation is for: `POST`, or `ANY`. What else stands beside operations is for none.
pub fn verb(operation: &str) -> Option<String> {
    match operation {
        ANY => Some("ANY".to_owned()),
        verb if VERBS.contains(&verb) => Some(verb.to_uppercase()),
        _ => None,
    }
}

fn operation_name(verb: &str) -> String {
    if verb == "ANY" { ANY.to_owned() } else { verb.to_ascii_lowercase() }
}

fn operation(method: &Method) -> Value {
    let mut fields = Map::new();
    if let Some(integration) = &method.method_integration {
        fields.insert(INTEGRATION.to_owned(), integration_of(integration));
    }
    let mut required = Map::new();
    if method.api_key_required == Some(true) {
        required.insert(KEY.to_owned(), json!([]));
    }
    if let Some(authorizer) = method.authorizer_id() {
        required.insert(authorizer.to_owned(), json!(method.authorization_scopes()));
    }
    if !required.is_empty() {
        fields.insert("security".to_owned(), json!([required]));
    }
    if let Some("AWS_IAM") = method.authorization_type() {
        fields.insert(AUTH.to_owned(), json!({"type": "AWS_IAM"}));
    }
    if let Some(validator) = method.request_validator_id().filter(|id| !id.is_empty()) {
        fields.insert(VALIDATOR.to_owned(), json!(validator));
    }
    Value::Object(fields)
}

fn integration_of(it: &Integration) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    let text = |text: Option<&str>| text.map(|text| Value::String(text.to_owned()));
    put("type", text(it.r#type().map(|kind| kind.as_str())));
    put("httpMethod", text(it.http_method()));
    put("uri", text(it.uri()));
    put("connectionType", text(it.connection_type().map(|kind| kind.as_str())));
    put("connectionId", text(it.connection_id()));
    put("credentials", text(it.credentials()));
    put("passthroughBehavior", text(it.passthrough_behavior()));
    put("contentHandling", text(it.content_handling().map(|kind| kind.as_str())));
    put("timeoutInMillis", Some(json!(it.timeout_in_millis)));
    put("cacheNamespace", text(it.cache_namespace()));
    put("requestParameters", it.request_parameters().map(|map| json!(map)));
    put("requestTemplates", it.request_templates().map(|map| json!(map)));
    let responses = it.integration_responses().map(|responses| {
        let named = responses.values().map(|response| {
            let pattern = response.selection_pattern().filter(|pattern| !pattern.is_empty());
            (pattern.unwrap_or("default").to_owned(), response_of(response))
        });
        Value::Object(named.collect())
    });
    put("responses", responses);
    Value::Object(fields)
}

fn response_of(response: &IntegrationResponse) -> Value {
    let mut fields = Map::new();
    fields.insert("statusCode".to_owned(), json!(response.status_code()));
    if let Some(parameters) = response.response_parameters() {
        fields.insert("responseParameters".to_owned(), json!(parameters));
    }
    if let Some(templates) = response.response_templates() {
        fields.insert("responseTemplates".to_owned(), json!(templates));
    }
    if let Some(handling) = response.content_handling() {
        fields.insert("contentHandling".to_owned(), json!(handling.as_str()));
    }
    Value::Object(fields)
}

/// The wanted operation with what the live integration says differently; `None` where all is as wanted.
fn differing(live: &Value, wanted: &Value) -> Option<Value> {
    let fields = wanted[INTEGRATION].as_object()?;
    let mut said = fields.clone();
    for (name, value) in fields {
        let live = &live[INTEGRATION];
        let Some(known) = live.get(name).map_or_else(|| absent(name), |live| Some(live.clone())) else { continue };
        if live.is_null() || !is_same(name, &known, value) {
            said.insert(name.clone(), if known.is_null() { Value::String(NOT_THERE.to_owned()) } else { known });
        }
    }
    if said == *fields {
        return None;
    }
    let mut operation = wanted.as_object()?.clone();
    operation.insert(INTEGRATION.to_owned(), Value::Object(said));
    Some(Value::Object(operation))
}

/// What a field that AWS does not answer holds; `None` where it says nothing: this page does not know the field.
fn absent(name: &str) -> Option<Value> {
    match name {
        "credentials" | "connectionId" | "contentHandling" | "uri" | "httpMethod" => Some(Value::Null),
        "requestParameters" | "requestTemplates" | "responses" => Some(json!({})),
        "connectionType" => Some(json!("INTERNET")),
        _ => None,
    }
}

/// Whether two values of an integration's field mean the same: words in any case, numbers as texts, and of a response only what
/// the document says.
fn is_same(name: &str, live: &Value, wanted: &Value) -> bool {
    match (name, live, wanted) {
        ("responses", Value::Object(live), Value::Object(wanted)) => {
            live.len() == wanted.len()
                && wanted.iter().all(|(pattern, wanted)| {
                    let Some(live) = live.get(pattern) else { return false };
                    let fields = wanted.as_object().into_iter().flatten();
                    fields.into_iter().all(|(name, value)| is_same(name, live.get(name).unwrap_or(&Value::Null), value))
                })
        }
        ("type" | "passthroughBehavior" | "connectionType" | "httpMethod" | "contentHandling", ..) => {
            text(live).eq_ignore_ascii_case(&text(wanted))
        }
        (_, Value::Null, Value::Object(wanted)) => wanted.is_empty(),
        (_, Value::Object(live), Value::Object(wanted)) => {
            live.len() == wanted.len()
                && wanted.iter().all(|(key, wanted)| live.get(key).is_some_and(|live| is_same("", live, wanted)))
        }
        // A role may be named by whoever calls.
        ("credentials", ..) => text(live) == text(wanted),
        (_, Value::String(_), _) | (_, _, Value::String(_)) => text(live) == text(wanted),
        (_, live, wanted) => live == wanted,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_apigateway::types::builders::MethodBuilder;

    use super::*;
    use crate::policy::methods::{Callers, Validation, of_document};

    fn document() -> Value {
        json!({
            "swagger": "2.0",
            "info": {"title": "orders", "description": "Takes orders", "version": "1"},
            "x-amazon-apigateway-binary-media-types": ["image/png"],
            "paths": {
                "/orders": {
                    "post": {
                        "responses": {"200": {"description": "taken"}},
                        INTEGRATION: {
                            "type": "aws_proxy", "httpMethod": "POST",
                            "uri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/orders/invocations",
                            "passthroughBehavior": "when_no_match", "timeoutInMillis": "29000",
                        },
                    },
                    "parameters": [],
                },
                "/{proxy+}": {ANY: {INTEGRATION: {"type": "mock", "responses": {"default": {"statusCode": "404"}}}}},
            },
            "definitions": {"Order": {"type": "object"}},
        })
    }

    fn resource(path: &str, verb: &str, integration: Integration) -> Resource {
        let method = Method::builder().http_method(verb).method_integration(integration).build();
        Resource::builder().path(path).resource_methods(verb, method).build()
    }

    fn post() -> Integration {
        Integration::builder()
            .r#type("AWS_PROXY".into())
            .http_method("POST")
            .uri("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/orders/invocations")
            .passthrough_behavior("WHEN_NO_MATCH")
            .timeout_in_millis(29000)
            .cache_namespace("x1y2")
            .build()
    }

    fn mock() -> Integration {
        let response = IntegrationResponse::builder().status_code("404").build();
        Integration::builder().r#type("MOCK".into()).integration_responses("404", response).build()
    }

    #[test]
    fn what_was_imported_agrees_with_its_document() {
        let live = of_live(
            &[
                Resource::builder().path("/").build(),
                resource("/orders", "POST", post()),
                resource("/{proxy+}", "ANY", mock()),
            ],
            &[],
        );
        assert_eq!(in_words_of(&live, &document(), Import::default()), document());
    }

    #[test]
    fn an_operation_that_differs_or_is_missing_or_is_one_too_many_shows_where_it_does() {
        let mut slow = post();
        slow.timeout_in_millis = 1000;
        let live = of_live(&[resource("/orders", "POST", slow), resource("/admin", "GET", mock())], &[]);
        let said = in_words_of(&live, &document(), Import::default());
        assert_eq!(said["paths"]["/orders"]["post"][INTEGRATION]["timeoutInMillis"], 1000);
        assert_eq!(said["paths"]["/orders"]["post"][INTEGRATION]["type"], "aws_proxy");
        assert_eq!(said["paths"]["/{proxy+}"][ANY], NOT_THERE);
        assert_eq!(said["paths"]["/admin"]["get"][INTEGRATION]["type"], "MOCK");
        assert_eq!(said["definitions"], document()["definitions"]);
        let merged = in_words_of(&live, &document(), Import { base_path: "", merges: true });
        assert_eq!(merged["paths"].get("/admin"), None);
    }

    #[test]
    fn a_base_path_may_stand_before_every_path() {
        let mut wanted = document();
        wanted["paths"].as_object_mut().expect("paths").remove("/{proxy+}");
        let live = of_live(&[resource("/v1/orders", "POST", post())], &[]);
        assert_ne!(in_words_of(&live, &wanted, Import::default()), wanted);
        assert_eq!(in_words_of(&live, &wanted, Import { base_path: "/v1", merges: false }), wanted);
    }

    #[test]
    fn who_may_call_what_is_live_and_who_validates_it_reads_as_in_a_document() {
        let method = |method: MethodBuilder| {
            let method = method.http_method("POST").build();
            Resource::builder().path("/orders").resource_methods("POST", method).build()
        };
        let validator = RequestValidator::builder().id("v1").validate_request_body(true).build();
        let read = |builder: MethodBuilder| of_live(&[method(builder)], std::slice::from_ref(&validator));
        let closed = read(Method::builder().api_key_required(true).request_validator_id("v1").authorizer_id("a1"));
        let found = &of_document(&closed)[0];
        assert!(found.asks_for_key && found.asks_who_calls());
        assert!(matches!(found.validation, Validation::Named { by: Some("v1"), looks_at_bodies: true }));
        let open = read(Method::builder().api_key_required(false).authorization_type("NONE"));
        let found = &of_document(&open)[0];
        assert!(!found.asks_for_key && !found.asks_who_calls());
        assert!(matches!(found.validation, Validation::Named { by: None, looks_at_bodies: false }));
        let signed = read(Method::builder().authorization_type("AWS_IAM"));
        assert_eq!(of_document(&signed)[0].callers, Callers::Signing);
    }

    #[test]
    fn what_is_no_document_is_left_as_it_is() {
        let live = of_live(&[resource("/orders", "POST", post())], &[]);
        for text in [json!("openapi: 3.0.1"), json!({"paths": "none"}), json!({"paths": {"/orders": "none"}})] {
            assert_eq!(in_words_of(&live, &text, Import::default()), text);
        }
    }

    #[test]
    fn a_document_names_and_describes_its_api() {
        let settings = Settings::of(&document());
        assert_eq!(settings.name.as_deref(), Some("orders"));
        assert_eq!(settings.description.as_deref(), Some("Takes orders"));
        assert_eq!(settings.binary_media_types, Some(BTreeSet::from(["image/png".to_owned()])));
        assert_eq!(settings.policy, None);
    }
}
