//! `AWS::Lambda::Url`: an HTTPS address of a function, or of one of its aliases. Found by the function, which has one; function
//! and alias replace it, and with it the address. It cannot carry a mark, and goes with its function.

use std::collections::BTreeSet;

use aws_sdk_lambda::types::{Cors as SdkCors, FunctionUrlAuthType, InvokeMode};
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, ErrorClass, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::lambda::function_name;
use crate::resource::lambda::passing::{already_exists, is_busy};
use crate::resource::{Attributes, Handler, Live, Made, Owner, attributes, left_to_change, referred};
use crate::unknown;

pub struct LambdaUrl;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Url {
    /// The function's name or ARN.
    pub target_function_arn: String,
    /// An alias.
    pub qualifier: Option<String>,
    pub auth_type: String,
    pub cors: Option<Cors>,
    pub invoke_mode: String,
}

impl Default for Url {
    fn default() -> Self {
        Self {
            target_function_arn: String::new(),
            qualifier: None,
            auth_type: String::new(),
            cors: None,
            invoke_mode: "BUFFERED".to_owned(),
        }
    }
}

/// From which other origins a browser may call.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Cors {
    pub allow_credentials: bool,
    pub allow_headers: BTreeSet<String>,
    pub allow_methods: BTreeSet<String>,
    pub allow_origins: BTreeSet<String>,
    pub expose_headers: BTreeSet<String>,
    /// Seconds.
    pub max_age: Option<i32>,
}

impl Handler for LambdaUrl {
    const TYPE: &'static str = "AWS::Lambda::Url";
    const FOUND_BY: &'static [&'static str] = &["TargetFunctionArn", "Qualifier"];
    const PART_OF: &'static [&'static str] = &["TargetFunctionArn"];
    const WITHIN: Option<&'static str> = Some("AWS::Lambda::Function");
    type Properties = Url;

    /// The alias may stand behind the function, or for itself.
    fn complete(url: &mut Url) {
        let target = function_name::short(&url.target_function_arn);
        match function_name::qualified(&target) {
            (name, Some(qualifier)) if !unknown::is_in(&target) => {
                url.qualifier = Some(qualifier.to_owned());
                url.target_function_arn = name.to_owned();
            }
            _ => url.target_function_arn = target,
        }
        url.cors.take_if(|cors| *cors == Cors::default());
    }

    /// The address itself is Lambda's to give.
    fn predict(scope: &Scope, url: &Url) -> Attributes {
        let arn = || Some(arn_of(scope, &id_of(url)));
        attributes([("Ref", arn()), ("FunctionArn", arn())])
    }

    async fn find(cx: &Context, _owner: &Owner, url: &Url) -> Result<Option<PhysicalId>, AwsError> {
        let id = id_of(url);
        Ok(Self::read(cx, &id).await?.map(|_| id))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Url>>, AwsError> {
        let (name, qualifier) = function_name::qualified(id.as_str());
        let get = cx.lambda.get_function_url_config().function_name(name);
        let get = get.set_qualifier(qualifier.map(str::to_owned));
        let Some(answer) = found(GET, get.send().await)? else { return Ok(None) };
        let url = Url {
            target_function_arn: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
            auth_type: answer.auth_type.as_str().to_owned(),
            cors: answer.cors.map(cors_of),
            invoke_mode: answer.invoke_mode.as_ref().map_or("BUFFERED", InvokeMode::as_str).to_owned(),
        };
        Ok(Some(Live::unmarkable(url, attributes_of(&cx.scope, id, answer.function_url))))
    }

    async fn create(cx: &Context, owner: &Owner, url: &Url, _left: Option<PhysicalId>) -> Result<Made, AwsError> {
        let create = cx.lambda.create_function_url_config().function_name(&url.target_function_arn);
        let create = create.set_qualifier(url.qualifier.clone());
        let create = create.auth_type(FunctionUrlAuthType::from(url.auth_type.as_str()));
        let create = create.set_cors(url.cors.as_ref().map(sdk_cors));
        let create = create.invoke_mode(InvokeMode::from(url.invoke_mode.as_str()));
        let call = || async { create.clone().send().await.during("lambda.CreateFunctionUrlConfig") };
        let id = id_of(url);
        match cx.while_passing(Patience::seconds(120), is_busy, call).await {
            Ok(answer) => Ok(Made { attributes: attributes_of(&cx.scope, &id, answer.function_url), id }),
            // An interrupted create left it. Lambda says so of a conflict without saying that one exists.
            Err(error) if already_exists(&error) || error.class == ErrorClass::Conflict => {
                let live = Self::read(cx, &id).await?.ok_or(error)?;
                Self::update(cx, owner, &id, url, &left_to_change::<Self>(&live, url)).await?;
                Ok(Made { attributes: live.attributes, id })
            }
            Err(error) => Err(error),
        }
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        url: &Url,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        if changes.touch_any(&["AuthType", "Cors", "InvokeMode"]) {
            let (name, qualifier) = function_name::qualified(id.as_str());
            let update = cx.lambda.update_function_url_config().function_name(name);
            let update = update.set_qualifier(qualifier.map(str::to_owned));
            let update = update.auth_type(FunctionUrlAuthType::from(url.auth_type.as_str()));
            // What is left out stays as it was: without origins there is an empty one to clear it.
            let update = update.cors(sdk_cors(&url.cors.clone().unwrap_or_default()));
            let update = update.invoke_mode(InvokeMode::from(url.invoke_mode.as_str()));
            let call = || async { update.clone().send().await.during("lambda.UpdateFunctionUrlConfig") };
            cx.while_passing(Patience::seconds(120), is_busy, call).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let (name, qualifier) = function_name::qualified(id.as_str());
        let delete = cx.lambda.delete_function_url_config().function_name(name);
        let delete = delete.set_qualifier(qualifier.map(str::to_owned));
        let deleted = cx.while_passing(Patience::seconds(120), is_busy, || async {
            delete.clone().send().await.during("lambda.DeleteFunctionUrlConfig")
        });
        gone_is_fine(deleted.await)
    }

    async fn list_within(cx: &Context, function: &PhysicalId) -> Result<Vec<PhysicalId>, AwsError> {
        let list = cx.lambda.list_function_url_configs().function_name(function.as_str());
        let urls: Result<Vec<_>, _> = list.into_paginator().items().send().collect().await;
        let urls = found("lambda.ListFunctionUrlConfigs", urls)?.unwrap_or_default();
        Ok(urls.into_iter().map(|url| PhysicalId::from(function_name::short(&url.function_arn))).collect())
    }
}

const GET: &str = "lambda.GetFunctionUrlConfig";

fn cors_of(cors: SdkCors) -> Cors {
    let set = |list: Option<Vec<String>>| list.unwrap_or_default().into_iter().collect();
    Cors {
        allow_credentials: cors.allow_credentials.unwrap_or_default(),
        allow_headers: set(cors.allow_headers),
        allow_methods: set(cors.allow_methods),
        allow_origins: set(cors.allow_origins),
        expose_headers: set(cors.expose_headers),
        max_age: cors.max_age.filter(|seconds| *seconds != 0),
    }
}

fn sdk_cors(cors: &Cors) -> SdkCors {
    let list = |set: &BTreeSet<String>| (!set.is_empty()).then(|| set.iter().cloned().collect());
    SdkCors::builder()
        .set_allow_credentials(cors.allow_credentials.then_some(true))
        .set_allow_headers(list(&cors.allow_headers))
        .set_allow_methods(list(&cors.allow_methods))
        .set_allow_origins(list(&cors.allow_origins))
        .set_expose_headers(list(&cors.expose_headers))
        .set_max_age(cors.max_age)
        .build()
}

/// `orders`, or `orders:live`.
fn id_of(url: &Url) -> PhysicalId {
    match &url.qualifier {
        Some(qualifier) => PhysicalId::from(format!("{}:{qualifier}", url.target_function_arn)),
        None => PhysicalId::from(url.target_function_arn.as_str()),
    }
}

fn arn_of(scope: &Scope, id: &PhysicalId) -> String {
    if unknown::is_in(id.as_str()) { id.to_string() } else { scope.arn("lambda", &format!("function:{id}")) }
}

fn attributes_of(scope: &Scope, id: &PhysicalId, address: String) -> Attributes {
    let arn = arn_of(scope, id);
    referred(arn.as_str(), [("FunctionArn", arn.clone()), ("FunctionUrl", address)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_may_stand_behind_the_function_or_for_itself() {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:orders";
        let of = |target: &str, qualifier: Option<&str>| {
            let mut url = Url {
                target_function_arn: target.to_owned(),
                qualifier: qualifier.map(str::to_owned),
                ..Url::default()
            };
            LambdaUrl::complete(&mut url);
            id_of(&url).to_string()
        };
        assert_eq!(of(&format!("{arn}:live"), None), "orders:live");
        assert_eq!(of(arn, Some("live")), "orders:live");
        assert_eq!(of("orders", None), "orders");
    }
}
