//! What the APIs of a template may be asked: methods that are resources, operations of an API's document, and addresses of
//! functions.

use serde_json::Value;

use crate::property_path::PropertyPath;
use crate::resolved::{Resolved, Subject};
use crate::resource::apigateway::body::{INTEGRATION, verb};

pub const METHOD: &str = "AWS::ApiGateway::Method";
pub const REST_API: &str = "AWS::ApiGateway::RestApi";
pub const URL: &str = "AWS::Lambda::Url";

/// The types that a method may be a part of.
pub const METHODS: &[&str] = &[METHOD, REST_API];

/// One method, wherever the template says it.
pub struct Method<'a> {
    /// `POST`, or `ANY`.
    pub verb: String,
    /// `/orders`, where its API's document says it.
    pub path: Option<&'a str>,
    /// Where in the resource it is said.
    pub at: PropertyPath,
    pub asks_for_key: bool,
    /// Whether an authorizer or IAM decides who may call.
    pub asks_who_calls: bool,
    pub validation: Validation<'a>,
    integration: &'a Value,
}

/// Who validates what a method is sent.
pub enum Validation<'a> {
    /// The validator that this names.
    By(&'a Value),
    /// Whether bodies are, by a document's own words.
    OfBodies(bool),
}

/// The methods of a resource: its own, or those of its document.
pub fn methods_of<'a>(subject: &Subject<'a>) -> Vec<Method<'a>> {
    match subject.resource_type() {
        METHOD => vec![of_resource(subject.properties)],
        REST_API => of_document(&subject.properties["Body"]),
        _ => Vec::new(),
    }
}

/// Every method of a template.
pub fn methods<'a>(resolved: &'a Resolved<'_>) -> impl Iterator<Item = Method<'a>> {
    resolved.subjects().flat_map(|subject| methods_of(&subject))
}

impl<'a> Method<'a> {
    pub fn uri(&self) -> Option<&'a str> {
        self.of_integration("uri", "Uri").as_str()
    }

    /// The role that the service takes on to call what is behind the method.
    pub fn credentials(&self) -> Option<&'a str> {
        self.of_integration("credentials", "Credentials").as_str()
    }

    /// A field of its integration, by its name in a document and in a template.
    pub fn of_integration(&self, in_document: &str, in_template: &str) -> &'a Value {
        &self.integration[if self.path.is_some() { in_document } else { in_template }]
    }
}

/// The method that a resource's properties say.
pub fn of_resource(method: &Value) -> Method<'_> {
    Method {
        verb: method["HttpMethod"].as_str().unwrap_or_default().to_owned(),
        path: None,
        at: PropertyPath::default(),
        asks_for_key: method["ApiKeyRequired"] == true,
        asks_who_calls: method["AuthorizationType"] != "NONE",
        validation: Validation::By(&method["RequestValidatorId"]),
        integration: &method["Integration"],
    }
}

/// The operations of an API's document.
pub fn of_document(document: &Value) -> Vec<Method<'_>> {
    let mut methods = Vec::new();
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        for (name, operation) in operations.as_object().into_iter().flatten() {
            let Some(verb) = verb(name) else { continue };
            let schemes: Vec<&Value> = schemes(document, operation).collect();
            let is_key =
                |scheme: &Value| scheme["type"] == "apiKey" && scheme["x-amazon-apigateway-authtype"].is_null();
            let auth = operation["x-amazon-apigateway-auth"]["type"].as_str();
            methods.push(Method {
                verb,
                path: Some(path),
                at: PropertyPath::of("Body").key("paths").key(path).key(name),
                asks_for_key: schemes.iter().any(|scheme| is_key(scheme)),
                asks_who_calls: schemes.iter().any(|scheme| !is_key(scheme))
                    || auth.is_some_and(|auth| !auth.eq_ignore_ascii_case("none")),
                validation: Validation::OfBodies(validates_bodies(document, operation)),
                integration: &operation[INTEGRATION],
            });
        }
    }
    methods
}

/// What an operation asks for, as the document defines it. What stands at the document's root counts for no operation
/// ("Amazon API Gateway important notes").
fn schemes<'a>(document: &'a Value, operation: &'a Value) -> impl Iterator<Item = &'a Value> {
    let required = operation["security"].as_array().into_iter().flatten().filter_map(Value::as_object);
    required.flat_map(|it| it.keys()).map(|name| match &document["components"]["securitySchemes"][name] {
        // "Swagger 2.0" has them elsewhere.
        Value::Null => &document["securityDefinitions"][name],
        scheme => scheme,
    })
}

fn validates_bodies(document: &Value, operation: &Value) -> bool {
    const VALIDATOR: &str = "x-amazon-apigateway-request-validator";
    let name = operation[VALIDATOR].as_str().or_else(|| document[VALIDATOR].as_str()).unwrap_or_default();
    document["x-amazon-apigateway-request-validators"][name]["validateRequestBody"] == true
}
