//! `AWS::ApiGateway::Authorizer`. Found by name, which an API can have twice: the first one is it. The API replaces it. One that
//! a method uses cannot be deleted.

use std::collections::BTreeSet;

use aws_sdk_apigateway::operation::get_authorizer::GetAuthorizerOutput;
use aws_sdk_apigateway::types::{self, PatchOperation};
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, absent_is_none, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::apigateway::patch::{add, remove_item, replace, replace_or_clear};
use crate::resource::apigateway::{joined, parts, patch};
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct ApiGatewayAuthorizer;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Authorizer {
    pub rest_api_id: String,
    pub name: String,
    /// `TOKEN`, `REQUEST` or `COGNITO_USER_POOLS`.
    #[serde(rename = "Type")]
    pub kind: String,
    pub auth_type: Option<String>,
    /// The function that decides, as API Gateway calls it.
    pub authorizer_uri: Option<String>,
    /// The role to call it with.
    pub authorizer_credentials: Option<String>,
    /// Seconds for which a decision is kept; 0 for none.
    pub authorizer_result_ttl_in_seconds: i32,
    pub identity_source: Option<String>,
    pub identity_validation_expression: Option<String>,
    /// User pools.
    #[serde(rename = "ProviderARNs")]
    pub provider_arns: BTreeSet<String>,
}

impl Default for Authorizer {
    fn default() -> Self {
        Self {
            rest_api_id: String::new(),
            name: String::new(),
            kind: String::new(),
            auth_type: None,
            authorizer_uri: None,
            authorizer_credentials: None,
            authorizer_result_ttl_in_seconds: 300,
            identity_source: None,
            identity_validation_expression: None,
            provider_arns: BTreeSet::new(),
        }
    }
}

impl Handler for ApiGatewayAuthorizer {
    const TYPE: &'static str = "AWS::ApiGateway::Authorizer";
    const FOUND_BY: &'static [&'static str] = &["RestApiId", "Name"];
    const CREATES_ANOTHER: bool = true;
    const PART_OF: &'static [&'static str] = &["RestApiId"];
    const WITHIN: Option<&'static str> = Some("AWS::ApiGateway::RestApi");
    type Properties = Authorizer;

    fn complete(authorizer: &mut Authorizer) {
        authorizer.identity_source.take_if(|text| text.is_empty());
        authorizer.identity_validation_expression.take_if(|text| text.is_empty());
        authorizer.authorizer_credentials.take_if(|arn| arn.is_empty());
    }

    fn predict(_scope: &Scope, _authorizer: &Authorizer) -> Attributes {
        Attributes::new()
    }

    /// The service names the kind of authorization after the type where the template does not.
    fn equate(live: &mut Authorizer, wanted: &Authorizer) {
        if wanted.auth_type.is_none() {
            live.auth_type = None;
        }
    }

    async fn find(cx: &Context, _owner: &Owner, authorizer: &Authorizer) -> Result<Option<PhysicalId>, AwsError> {
        let api = authorizer.rest_api_id.as_str();
        let authorizers = absent_is_none(authorizers(cx, api).await)?.unwrap_or_default();
        let is_it = |it: &&types::Authorizer| it.name() == Some(authorizer.name.as_str());
        Ok(authorizers.iter().find(is_it).and_then(|it| it.id()).map(|id| joined([api, id])))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Authorizer>>, AwsError> {
        let [api, authorizer] = parts(id)?;
        let get = cx.apigateway.get_authorizer().rest_api_id(api).authorizer_id(authorizer);
        let Some(answer) = found(GET, get.send().await)? else { return Ok(None) };
        Ok(Some(Live::unmarkable(authorizer_of(api, answer), attributes(authorizer))))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        authorizer: &Authorizer,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = match left {
            Some(id) => id,
            None => make(cx, authorizer).await?,
        };
        let [_, authorizer] = parts(&id)?;
        Ok(Made { attributes: attributes(authorizer), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        wanted: &Authorizer,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let [api, authorizer] = parts(id)?;
        let get = cx.apigateway.get_authorizer().rest_api_id(api).authorizer_id(authorizer);
        let live = authorizer_of(api, get.send().await.during(GET)?);
        let update = cx.apigateway.update_authorizer().rest_api_id(api).authorizer_id(authorizer);
        let update = update.set_patch_operations(Some(patches(&live, wanted)));
        patch::write(cx, api, || async { update.clone().send().await.during("apigateway.UpdateAuthorizer") }).await?;
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [api, authorizer] = parts(id)?;
        let delete = cx.apigateway.delete_authorizer().rest_api_id(api).authorizer_id(authorizer);
        let delete = || async { gone_is_fine(delete.clone().send().await.during("apigateway.DeleteAuthorizer")) };
        patch::write(cx, api, delete).await?;
        cx.until(GET, "the authorizer to be gone", Patience::seconds(60), || async {
            let get = cx.apigateway.get_authorizer().rest_api_id(api).authorizer_id(authorizer);
            Ok(found(GET, get.send().await)?.is_none().then_some(()))
        })
        .await
    }

    async fn list_within(cx: &Context, api: &PhysicalId) -> Result<Vec<PhysicalId>, AwsError> {
        let ids = authorizers(cx, api.as_str()).await?.into_iter().filter_map(|authorizer| authorizer.id);
        Ok(ids.map(|id| joined([api.as_str(), &id])).collect())
    }
}

const GET: &str = "apigateway.GetAuthorizer";

/// The SDK has no paginator for this list.
async fn authorizers(cx: &Context, api: &str) -> Result<Vec<types::Authorizer>, AwsError> {
    let list = cx.apigateway.get_authorizers().rest_api_id(api).limit(500);
    let mut authorizers = Vec::new();
    let mut position = None;
    loop {
        let page = list.clone().set_position(position).send().await.during("apigateway.GetAuthorizers")?;
        authorizers.extend(page.items.unwrap_or_default());
        position = page.position.filter(|position| !position.is_empty());
        if position.is_none() {
            return Ok(authorizers);
        }
    }
}

async fn make(cx: &Context, authorizer: &Authorizer) -> Result<PhysicalId, AwsError> {
    const CREATE: &str = "apigateway.CreateAuthorizer";
    let arns: Vec<String> = authorizer.provider_arns.iter().cloned().collect();
    let create = cx
        .apigateway
        .create_authorizer()
        .rest_api_id(&authorizer.rest_api_id)
        .name(&authorizer.name)
        .r#type(authorizer.kind.as_str().into())
        .set_auth_type(authorizer.auth_type.clone())
        .set_authorizer_uri(authorizer.authorizer_uri.clone())
        .set_authorizer_credentials(authorizer.authorizer_credentials.clone())
        .authorizer_result_ttl_in_seconds(authorizer.authorizer_result_ttl_in_seconds)
        .set_identity_source(authorizer.identity_source.clone())
        .set_identity_validation_expression(authorizer.identity_validation_expression.clone())
        .set_provider_arns((!arns.is_empty()).then_some(arns));
    let create = || async { create.clone().send().await.during(CREATE) };
    let answer = patch::write(cx, &authorizer.rest_api_id, create).await?;
    let id = answer.id.ok_or_else(|| AwsError::missing(CREATE, "id"))?;
    Ok(joined([&authorizer.rest_api_id, &id]))
}

/// What turns one authorizer into another.
fn patches(live: &Authorizer, wanted: &Authorizer) -> Vec<PatchOperation> {
    let texts = [
        ("/authorizerCredentials", &live.authorizer_credentials, &wanted.authorizer_credentials),
        ("/authorizerUri", &live.authorizer_uri, &wanted.authorizer_uri),
        ("/identitySource", &live.identity_source, &wanted.identity_source),
        ("/identityValidationExpression", &live.identity_validation_expression, &wanted.identity_validation_expression),
    ];
    let texts = texts.into_iter().filter(|(_, live, wanted)| live != wanted);
    let texts = texts.map(|(path, _, wanted)| replace_or_clear(path, wanted.clone()));
    let singles = [
        (live.name != wanted.name).then(|| replace("/name", &wanted.name)),
        (live.kind != wanted.kind).then(|| replace("/type", &wanted.kind)),
        wanted.auth_type.as_ref().filter(|it| live.auth_type.as_ref() != Some(it)).map(|it| replace("/authType", it)),
        (live.authorizer_result_ttl_in_seconds != wanted.authorizer_result_ttl_in_seconds)
            .then(|| replace("/authorizerResultTtlInSeconds", wanted.authorizer_result_ttl_in_seconds)),
    ];
    let more = wanted.provider_arns.difference(&live.provider_arns).map(|arn| add("/providerARNs", arn));
    let fewer = live.provider_arns.difference(&wanted.provider_arns).map(|arn| remove_item("/providerARNs", arn));
    singles.into_iter().flatten().chain(texts).chain(more).chain(fewer).collect()
}

fn authorizer_of(api: &str, answer: GetAuthorizerOutput) -> Authorizer {
    let mut authorizer = Authorizer {
        rest_api_id: api.to_owned(),
        name: answer.name.unwrap_or_default(),
        kind: answer.r#type.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        auth_type: answer.auth_type,
        authorizer_uri: answer.authorizer_uri,
        authorizer_credentials: answer.authorizer_credentials,
        authorizer_result_ttl_in_seconds: answer.authorizer_result_ttl_in_seconds.unwrap_or(300),
        identity_source: answer.identity_source,
        identity_validation_expression: answer.identity_validation_expression,
        provider_arns: answer.provider_arns.unwrap_or_default().into_iter().collect(),
    };
    ApiGatewayAuthorizer::complete(&mut authorizer);
    authorizer
}

fn attributes(authorizer: &str) -> Attributes {
    referred(authorizer, [("AuthorizerId", authorizer.to_owned())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_patched() {
        let live = Authorizer {
            name: "keys".to_owned(),
            kind: "TOKEN".to_owned(),
            auth_type: Some("custom".to_owned()),
            identity_source: Some("method.request.header.Authorization".to_owned()),
            provider_arns: BTreeSet::from(["old".to_owned()]),
            ..Authorizer::default()
        };
        let wanted = Authorizer {
            auth_type: None,
            identity_source: None,
            authorizer_result_ttl_in_seconds: 0,
            provider_arns: BTreeSet::from(["new".to_owned()]),
            ..live.clone()
        };
        let said: Vec<_> =
            patches(&live, &wanted).into_iter().map(|it| (it.path.unwrap_or_default(), it.value)).collect();
        let said: Vec<(&str, Option<&str>)> =
            said.iter().map(|(path, value)| (path.as_str(), value.as_deref())).collect();
        assert_eq!(
            said,
            [
                ("/authorizerResultTtlInSeconds", Some("0")),
                ("/identitySource", None),
                ("/providerARNs", Some("new")),
                ("/providerARNs", Some("old")),
            ]
        );
    }
}
