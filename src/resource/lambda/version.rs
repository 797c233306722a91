//! `AWS::Lambda::Version`. Found by its owner's mark at the end of its description, since nothing else of it can carry one.
//! Everything replaces it: a version is published once, of what the function is at that moment.
//!
//! As in CloudFormation, a version stays what it is when its function changes: another one is another logical id, which is how
//! CDK and SAM write it. Lambda publishes none of what was published already; it answers with the last one. That is taken where
//! it carries nobody's mark, and refused where it is another resource's.

use aws_sdk_lambda::types::{FunctionConfiguration, UpdateRuntimeOn};
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, ErrorClass, absent_is_none, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::lambda::description::{self, DescriptionMark};
use crate::resource::lambda::function::{is_settled, succeeded};
use crate::resource::lambda::function_name;
use crate::resource::lambda::passing::is_busy;
use crate::resource::lambda::provisioned_concurrency::{self, ProvisionedConcurrency};
use crate::resource::{Attributes, Handler, Live, Made, Mark, Owner, referred};

pub struct LambdaVersion;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Version {
    pub function_name: String,
    pub code_sha256: Option<String>,
    pub description: String,
    pub provisioned_concurrency_config: Option<ProvisionedConcurrency>,
    pub runtime_policy: Option<RuntimePolicy>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct RuntimePolicy {
    pub update_runtime_on: String,
    pub runtime_version_arn: Option<String>,
}

impl Handler for LambdaVersion {
    const TYPE: &'static str = "AWS::Lambda::Version";
    const FOUND_BY: &'static [&'static str] = &["FunctionName"];
    const PART_OF: &'static [&'static str] = &["FunctionName"];
    const IS_UNIQUE: bool = false;
    const CREATES_ANOTHER: bool = true;
    const WITHIN: Option<&'static str> = Some("AWS::Lambda::Function");
    const REFUSED: &'static [(&'static str, &'static str)] = &[(
        "FunctionScalingConfig",
        "functions on capacity providers of your own are not handled: leave it out, and the function runs where Lambda \
         runs all others",
    )];
    type Properties = Version;

    fn complete(version: &mut Version) {
        version.function_name = function_name::short(&version.function_name);
        version.code_sha256.take_if(|digest| digest.is_empty());
    }

    /// A version's number is Lambda's to give.
    fn predict(_scope: &Scope, _version: &Version) -> Attributes {
        Attributes::new()
    }

    /// Lambda knows digest and runtime policy of every version; they matter where the template says something of them.
    fn equate(live: &mut Version, wanted: &Version) {
        if wanted.code_sha256.is_none() {
            live.code_sha256 = None;
        }
        if wanted.runtime_policy.is_none() {
            live.runtime_policy = None;
        }
    }

    async fn find(cx: &Context, owner: &Owner, version: &Version) -> Result<Option<PhysicalId>, AwsError> {
        let versions = versions(cx, &version.function_name).await?;
        let ours = versions.into_iter().rev().find(|it| description::owner(it.description()).as_ref() == Some(owner));
        Ok(ours.and_then(|it| it.function_arn).map(PhysicalId::from))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Version>>, AwsError> {
        let (function, number) = parts(id)?;
        let Some(live) = configuration(cx, function, number).await? else { return Ok(None) };
        let runtime = cx.lambda.get_runtime_management_config().function_name(function).qualifier(number);
        let runtime = found("lambda.GetRuntimeManagementConfig", runtime.send().await)?;
        let (description, mark) = description::split(live.description.as_deref());
        let version = Version {
            function_name: function.to_owned(),
            code_sha256: live.code_sha256.clone(),
            description: description.to_owned(),
            provisioned_concurrency_config: provisioned_concurrency::read(cx, function, number).await?,
            runtime_policy: runtime.and_then(|it| {
                let update_runtime_on = it.update_runtime_on?.as_str().to_owned();
                Some(RuntimePolicy { update_runtime_on, runtime_version_arn: it.runtime_version_arn })
            }),
        };
        // One without a mark belongs to whoever owns the function.
        let mark = Mark::in_name(mark.map(|mark| mark.owner));
        Ok(Some(Live { properties: version, attributes: attributes_of(id.as_str(), number), mark }))
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        version: &Version,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let function = version.function_name.as_str();
        let id = match left {
            Some(id) => id,
            None => publish(cx, owner, version).await?,
        };
        let (_, number) = parts(&id)?;
        ready(cx, function, number).await?;
        if let Some(policy) = &version.runtime_policy {
            let put = cx.lambda.put_runtime_management_config().function_name(function).qualifier(number);
            let put = put
                .update_runtime_on(UpdateRuntimeOn::from(policy.update_runtime_on.as_str()))
                .set_runtime_version_arn(policy.runtime_version_arn.clone());
            put.send().await.during("lambda.PutRuntimeManagementConfig")?;
        }
        if let Some(wanted) = &version.provisioned_concurrency_config {
            provisioned_concurrency::write(cx, function, number, Some(wanted)).await?;
        }
        Ok(Made { attributes: attributes_of(id.as_str(), number), id })
    }

    /// Nothing of a version can change.
    async fn update(
        _cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        _version: &Version,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        Ok(id.clone())
    }

    /// An alias that was moved away a moment ago may still be seen to point here.
    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let (function, number) = parts(id)?;
        let delete = cx.lambda.delete_function().function_name(function).qualifier(number);
        let deleted = cx.while_passing(Patience::seconds(120), is_busy, || async {
            delete.clone().send().await.during("lambda.DeleteFunction")
        });
        gone_is_fine(deleted.await)?;
        cx.until("lambda.GetFunction", "the version to be gone", Patience::seconds(120), || async {
            Ok(configuration(cx, function, number).await?.is_none().then_some(()))
        })
        .await
    }

    /// Only versions whose description says that paystack made them: others publish by hand.
    async fn list_within(cx: &Context, function: &PhysicalId) -> Result<Vec<PhysicalId>, AwsError> {
        let versions = versions(cx, function.as_str())
            .await?
            .into_iter()
            .filter(|it| description::owner(it.description()).is_some());
        Ok(versions.filter_map(|it| it.function_arn).map(PhysicalId::from).collect())
    }
}

const PUBLISH: &str = "lambda.PublishVersion";

async fn publish(cx: &Context, owner: &Owner, version: &Version) -> Result<PhysicalId, AwsError> {
    let publish = cx.lambda.publish_version().function_name(&version.function_name);
    let mark = DescriptionMark { owner: owner.clone(), digest: None };
    let publish = publish.description(mark.behind(&version.description, PUBLISH)?);
    let publish = publish.set_code_sha256(version.code_sha256.clone());
    let call = || async { publish.clone().send().await.during(PUBLISH) };
    let answer = cx.while_passing(Patience::seconds(300), is_busy, call).await?;
    if let Some(other) = description::owner(answer.description()).filter(|other| other != owner) {
        let message = format!(
            "`{}` has not changed since its version {} was published for `{}`: a version of the same content cannot be \
             published twice; refer to that one, or change the function",
            version.function_name,
            answer.version.as_deref().unwrap_or_default(),
            other.resource
        );
        return Err(AwsError::new(PUBLISH, ErrorClass::Invalid, message));
    }
    answer.function_arn.map(PhysicalId::from).ok_or_else(|| AwsError::missing(PUBLISH, "FunctionArn"))
}

/// Waits until the version can be invoked, which with snapshots takes minutes.
async fn ready(cx: &Context, function: &str, number: &str) -> Result<(), AwsError> {
    let waiting_for = format!("version {number} of `{function}` to be ready");
    let live = cx.until("lambda.GetFunction", &waiting_for, Patience::minutes(900), || async {
        Ok(configuration(cx, function, number).await?.filter(is_settled))
    });
    succeeded(live.await?).map(drop)
}

async fn configuration(cx: &Context, function: &str, number: &str) -> Result<Option<FunctionConfiguration>, AwsError> {
    let get = cx.lambda.get_function().function_name(function).qualifier(number);
    Ok(found("lambda.GetFunction", get.send().await)?.and_then(|answer| answer.configuration))
}

/// The numbered versions, the oldest first; a function that is not there has none.
async fn versions(cx: &Context, function: &str) -> Result<Vec<FunctionConfiguration>, AwsError> {
    let list = cx.lambda.list_versions_by_function().function_name(function).into_paginator().items().send();
    let answer: Result<Vec<_>, _> = list.collect().await;
    let mut versions = absent_is_none(answer.during("lambda.ListVersionsByFunction"))?.unwrap_or_default();
    versions.retain(|it| it.version() != Some("$LATEST"));
    versions.sort_by_key(|it| it.version().and_then(|number| number.parse::<u64>().ok()));
    Ok(versions)
}

/// Name and number of the version that an ARN names.
fn parts(id: &PhysicalId) -> Result<(&str, &str), AwsError> {
    let parts = id.as_str().split_once(":function:").and_then(|(_, name)| name.split_once(':'));
    parts.ok_or_else(|| {
        let message = format!("`{id}` is no ARN of a function's version");
        AwsError::new("lambda.GetFunction", ErrorClass::Invalid, message)
    })
}

fn attributes_of(arn: &str, number: &str) -> Attributes {
    referred(arn, [("FunctionArn", arn.to_owned()), ("Version", number.to_owned())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_named_by_its_arn() {
        let id = PhysicalId::from("arn:aws:lambda:us-east-1:123456789012:function:orders:7");
        assert_eq!(parts(&id).expect("an ARN"), ("orders", "7"));
        assert!(parts(&PhysicalId::from("arn:aws:lambda:us-east-1:123456789012:function:orders")).is_err());
    }
}
