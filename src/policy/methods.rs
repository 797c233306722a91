//! What the APIs of a template may be asked: methods that are resources, operations of an API's document, and addresses of
//! functions.

use serde_json::Value;

use crate::property_path::PropertyPath;
use crate::resolved::{Resolved, Subject};
use crate::resource::apigateway::body::{AUTH, INTEGRATION, VALIDATOR, VALIDATORS, verb};

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
    pub callers: Callers<'a>,
    pub validation: Validation<'a>,
    integration: &'a Value,
}

/// Who may call a method, whether with a key or without.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Callers<'a> {
    Anybody,
    /// Whoever IAM allows to.
    Signing,
    /// Whoever an authorizer lets in.
    Let(LetIn<'a>),
    /// Something decides that is not known here.
    Others,
}

/// Which authorizer lets callers in, and for what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LetIn<'a> {
    /// Its id, or in a document the name of its definition.
    pub by: &'a str,
    /// Of a user pool's tokens; empty or null for any.
    pub scopes: &'a Value,
}

/// Who validates what a method is sent.
pub enum Validation<'a> {
    /// The validator that this names.
    By(&'a Value),
    /// The validator that a document names, if any, and whether that one looks at bodies.
    Named { by: Option<&'a str>, looks_at_bodies: bool },
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

    /// Whether an authorizer or IAM decides who may call.
    pub fn asks_who_calls(&self) -> bool {
        self.callers != Callers::Anybody
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
        callers: match (method["AuthorizationType"].as_str(), method["AuthorizerId"].as_str()) {
            (Some("NONE"), _) => Callers::Anybody,
            (Some("AWS_IAM"), _) => Callers::Signing,
            (_, Some(by)) => Callers::Let(LetIn { by, scopes: &method["AuthorizationScopes"] }),
            (_, None) => Callers::Others,
        },
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
            let required: Vec<Required<'_>> = required(document, operation).collect();
            methods.push(Method {
                verb,
                path: Some(path),
                at: PropertyPath::of("Body").key("paths").key(path).key(name),
                asks_for_key: required.iter().any(Required::is_key),
                callers: callers(&required, &operation[AUTH]),
                validation: validation(document, operation),
                integration: &operation[INTEGRATION],
            });
        }
    }
    methods
}

/// Something that an operation asks for.
struct Required<'a> {
    name: &'a str,
    scopes: &'a Value,
    /// As the document defines it.
    scheme: &'a Value,
}

impl Required<'_> {
    fn is_key(&self) -> bool {
        self.scheme["type"] == "apiKey" && self.scheme[AUTH_TYPE].is_null()
    }
}

const AUTH_TYPE: &str = "x-amazon-apigateway-authtype";
/// What stands in the definition of an authorizer.
pub const AUTHORIZER: &str = "x-amazon-apigateway-authorizer";

/// What an operation asks for. What stands at the document's root counts for no operation ("Amazon API Gateway important
/// notes").
fn required<'a>(document: &'a Value, operation: &'a Value) -> impl Iterator<Item = Required<'a>> {
    let required = operation["security"].as_array().into_iter().flatten().filter_map(Value::as_object);
    required.flatten().map(|(name, scopes)| Required { name, scopes, scheme: scheme(document, name) })
}

/// What a document defines under a name as something to ask for.
pub fn scheme<'a>(document: &'a Value, name: &str) -> &'a Value {
    match &document["components"]["securitySchemes"][name] {
        // "Swagger 2.0" has them elsewhere.
        Value::Null => &document["securityDefinitions"][name],
        scheme => scheme,
    }
}

/// Who may call an operation that asks for something, or whose own extension says who.
fn callers<'a>(required: &[Required<'a>], auth: &Value) -> Callers<'a> {
    let Some(Required { name, scopes, scheme }) = required.iter().find(|it| !it.is_key()) else {
        return match auth["type"].as_str() {
            None => Callers::Anybody,
            Some(kind) if kind.eq_ignore_ascii_case("none") => Callers::Anybody,
            Some(kind) if kind.eq_ignore_ascii_case("aws_iam") => Callers::Signing,
            Some(_) => Callers::Others,
        };
    };
    if scheme[AUTH_TYPE].as_str().is_some_and(|it| it.eq_ignore_ascii_case("awsSigv4")) {
        return Callers::Signing;
    }
    if scheme[AUTHORIZER].is_object() { Callers::Let(LetIn { by: name, scopes }) } else { Callers::Others }
}

fn validation<'a>(document: &'a Value, operation: &'a Value) -> Validation<'a> {
    let by = operation[VALIDATOR].as_str().or_else(|| document[VALIDATOR].as_str());
    let looks_at_bodies = by.is_some_and(|name| document[VALIDATORS][name]["validateRequestBody"] == true);
    Validation::Named { by, looks_at_bodies }
}
