//! Who may call what an API's stage serves, against what is declared: anybody, whoever signs, or whoever an authorizer lets in.
//! An authorizer is part of the snapshot: one that was changed since decides as it did before.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::policy::methods::{AUTHORIZER, Callers, Method};

/// What decides who may call, in one shape for a template and for a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Authorizer {
    name: String,
    /// `token`, `request` or `cognito_user_pools`, where it is said.
    kind: Option<String>,
    uri: Option<String>,
    credentials: Option<String>,
    /// Seconds for which a decision is kept, where they are said.
    ttl_seconds: Option<i64>,
    /// `method.request.header.Authorization`.
    identity_sources: BTreeSet<String>,
    validation: Option<String>,
    user_pools: BTreeSet<String>,
}

impl Authorizer {
    /// As the properties of an `AWS::ApiGateway::Authorizer` say it.
    pub fn of_resource(properties: &Value) -> Self {
        Self {
            name: text(&properties["Name"]).unwrap_or_default(),
            kind: kind(&properties["Type"]),
            uri: text(&properties["AuthorizerUri"]),
            credentials: text(&properties["AuthorizerCredentials"]),
            ttl_seconds: properties["AuthorizerResultTtlInSeconds"].as_i64(),
            identity_sources: identity_sources(&properties["IdentitySource"]),
            validation: text(&properties["IdentityValidationExpression"]),
            user_pools: texts(&properties["ProviderARNs"]),
        }
    }

    /// As a document defines it: "x-amazon-apigateway-authorizer object".
    pub fn of_document(name: &str, scheme: &Value) -> Self {
        let said = &scheme[AUTHORIZER];
        let kind = kind(&said["type"]);
        let mut identity_sources = identity_sources(&said["identitySource"]);
        // What a token comes in is said by the scheme itself.
        if let (true, Some(header)) = (kind.as_deref() != Some("request"), scheme["name"].as_str())
            && identity_sources.is_empty()
        {
            identity_sources.insert(format!("method.request.header.{header}"));
        }
        let ttl_seconds = &said["authorizerResultTtlInSeconds"];
        Self {
            name: name.to_owned(),
            kind,
            uri: text(&said["authorizerUri"]),
            credentials: text(&said["authorizerCredentials"]),
            ttl_seconds: ttl_seconds.as_i64().or_else(|| ttl_seconds.as_str()?.parse().ok()),
            identity_sources,
            validation: text(&said["identityValidationExpression"]),
            user_pools: texts(&said["providerARNs"]),
        }
    }

    /// Whether both decide alike, whatever they are called. An export leaves out how long a user pool's decisions are kept.
    fn decides_as(&self, other: &Self) -> bool {
        let Self { name: _, kind, uri, credentials, ttl_seconds, identity_sources, validation, user_pools } = self;
        let is_same_kind = kind.is_none() || other.kind.is_none() || *kind == other.kind;
        let is_kept_as_long = ttl_seconds.is_none() || other.ttl_seconds.is_none() || *ttl_seconds == other.ttl_seconds;
        is_same_kind
            && is_kept_as_long
            && *uri == other.uri
            && *credentials == other.credentials
            && *identity_sources == other.identity_sources
            && *validation == other.validation
            && *user_pools == other.user_pools
    }
}

/// A method, and what its authorizer is, where that is known.
pub struct Side<'a> {
    pub method: &'a Method<'a>,
    pub authorizer: Option<Authorizer>,
}

/// What differs between who may call a method as it is declared and as it is served.
pub fn difference(name: &str, declared: &Side<'_>, served: &Side<'_>) -> Option<String> {
    match (declared.method.callers, served.method.callers) {
        (Callers::Others, _) | (_, Callers::Others) => None,
        (Callers::Anybody, Callers::Anybody) | (Callers::Signing, Callers::Signing) => None,
        (Callers::Let(wanted), Callers::Let(found)) => {
            let (was, is) = (served.authorizer.as_ref()?, declared.authorizer.as_ref()?);
            let has_other_scopes = texts(wanted.scopes) != texts(found.scopes);
            match (is.decides_as(was), is.name == was.name) {
                (false, true) => Some(format!("the authorizer `{}`", is.name)),
                (false, false) => Some(format!("the authorizer of {name}")),
                (true, _) => has_other_scopes.then(|| format!("the scopes of {name}")),
            }
        }
        (Callers::Anybody | Callers::Signing | Callers::Let(_), _) => Some(format!("who may call {name}")),
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn texts(list: &Value) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().filter_map(text).collect()
}

/// A word of the service, which a document has in small letters.
fn kind(value: &Value) -> Option<String> {
    text(value).map(|kind| kind.to_ascii_lowercase())
}

/// Several stand in one text, with commas between.
fn identity_sources(value: &Value) -> BTreeSet<String> {
    let sources = value.as_str().unwrap_or_default().split(',').map(str::trim);
    sources.filter(|source| !source.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::methods::{of_document, of_resource, scheme};

    const URI: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:decides/invocations";

    fn method(kind: &str) -> Value {
        json!({"HttpMethod": "GET", "AuthorizationType": kind, "AuthorizerId": "a1", "AuthorizationScopes": []})
    }

    fn token() -> Value {
        json!({
            "Name": "decides", "Type": "TOKEN", "AuthorizerUri": URI, "AuthorizerResultTtlInSeconds": 300,
            "IdentitySource": "method.request.header.Authorization", "ProviderARNs": [],
        })
    }

    /// A definition as an export has it of an authorizer of type `TOKEN`.
    fn exported() -> Value {
        json!({
            "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "custom",
            AUTHORIZER: {"type": "token", "authorizerUri": URI, "authorizerResultTtlInSeconds": 300},
        })
    }

    /// What is said of a method that is declared so, where the export defines and asks for this.
    fn said(declared: &Value, authorizer: &Value, definition: &Value, scopes: &Value) -> Option<String> {
        let document = json!({
            "paths": {"/": {"get": {"security": [{"decides": scopes}]}}},
            "components": {"securitySchemes": {"decides": definition}},
        });
        let (declared, served) = (of_resource(declared), &of_document(&document)[0]);
        let wanted = Side { method: &declared, authorizer: Some(Authorizer::of_resource(authorizer)) };
        let found = Authorizer::of_document("decides", scheme(&document, "decides"));
        difference("GET /", &wanted, &Side { method: served, authorizer: Some(found) })
    }

    #[test]
    fn an_authorizer_that_is_served_as_it_is_declared_is_not_worth_a_word() {
        assert_eq!(said(&method("CUSTOM"), &token(), &exported(), &json!([])), None);
        let request = json!({
            "Name": "decides", "Type": "REQUEST", "AuthorizerUri": URI, "AuthorizerResultTtlInSeconds": 0,
            "AuthorizerCredentials": "arn:aws:iam::123456789012:role/caller",
            "IdentitySource": "method.request.header.Auth,method.request.querystring.who",
        });
        let definition = json!({
            "type": "apiKey", "name": "Unused", "in": "header", "x-amazon-apigateway-authtype": "custom",
            AUTHORIZER: {
                "type": "request", "authorizerUri": URI, "authorizerResultTtlInSeconds": 0,
                "authorizerCredentials": "arn:aws:iam::123456789012:role/caller",
                "identitySource": "method.request.querystring.who, method.request.header.Auth",
            },
        });
        assert_eq!(said(&method("CUSTOM"), &request, &definition, &json!([])), None);
        let pool = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_a";
        let pools = json!({
            "Name": "decides", "Type": "COGNITO_USER_POOLS", "AuthorizerResultTtlInSeconds": 300,
            "IdentitySource": "method.request.header.Authorization", "ProviderARNs": [pool],
        });
        let definition = json!({
            "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "cognito_user_pools",
            AUTHORIZER: {"type": "cognito_user_pools", "providerARNs": [pool]},
        });
        assert_eq!(said(&method("COGNITO_USER_POOLS"), &pools, &definition, &json!([])), None);
        let scopes = said(&method("COGNITO_USER_POOLS"), &pools, &definition, &json!(["orders/read"]));
        assert_eq!(scopes.as_deref(), Some("the scopes of GET /"));
    }

    #[test]
    fn each_field_of_an_authorizer_that_is_served_otherwise_shows() {
        let fields = [
            ("type", json!("request")),
            ("authorizerUri", json!("arn:aws:apigateway:us-east-1:lambda:path/other")),
            ("authorizerCredentials", json!("arn:aws:iam::123456789012:role/caller")),
            ("authorizerResultTtlInSeconds", json!(0)),
            ("identitySource", json!("method.request.header.Token")),
            ("identityValidationExpression", json!("^Bearer .*")),
            ("providerARNs", json!(["arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_a"])),
        ];
        for (field, value) in fields {
            let mut definition = exported();
            definition[AUTHORIZER][field] = value;
            let said = said(&method("CUSTOM"), &token(), &definition, &json!([]));
            assert_eq!(said.as_deref(), Some("the authorizer `decides`"), "{field}");
        }
    }

    #[test]
    fn another_kind_of_caller_shows_and_what_is_not_known_does_not() {
        let signing = json!({"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"});
        let may_call = Some("who may call GET /".to_owned());
        assert_eq!(said(&method("CUSTOM"), &token(), &signing, &json!([])), may_call);
        assert_eq!(said(&method("NONE"), &token(), &exported(), &json!([])), may_call);
        assert_eq!(said(&method("AWS_IAM"), &token(), &exported(), &json!([])), may_call);
        assert_eq!(said(&method("AWS_IAM"), &token(), &signing, &json!([])), None);
        let of_nobody_here = json!({"type": "oauth2"});
        assert_eq!(said(&method("CUSTOM"), &token(), &of_nobody_here, &json!([])), None);
    }
}
