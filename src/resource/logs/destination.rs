//! `AWS::Logs::Destination`: where log groups of other accounts send their events. Found by name, which replaces it.
//! The policy that says who may send is written by a call of its own, and cannot be taken off again.

use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::{Change, Changes};
use crate::identity::PhysicalId;
use crate::resource::logs::tagging;
use crate::resource::policy_document::PolicyDocument;
use crate::resource::tags::Tags;
use crate::resource::{Attributes, Handler, Live, Made, Owner, complete_what_is_there, referred};

pub struct LogsDestination;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Destination {
    pub destination_name: String,
    /// A stream.
    pub target_arn: String,
    pub role_arn: String,
    pub destination_policy: Option<PolicyDocument>,
    pub tags: Tags,
}

impl Handler for LogsDestination {
    const TYPE: &'static str = "AWS::Logs::Destination";
    const FOUND_BY: &'static [&'static str] = &["DestinationName"];
    const TAGGED_AS: Option<&'static str> = Some("logs:destination");
    type Properties = Destination;

    fn predict(scope: &Scope, destination: &Destination) -> Attributes {
        attributes_of(scope, &destination.destination_name)
    }

    async fn find(cx: &Context, _owner: &Owner, destination: &Destination) -> Result<Option<PhysicalId>, AwsError> {
        let name = destination.destination_name.as_str();
        Ok(described(cx, name).await?.map(|_| PhysicalId::from(name)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Destination>>, AwsError> {
        let Some(live) = described(cx, id.as_str()).await? else { return Ok(None) };
        let Some(tags) = tagging::read(cx, &arn_of(&cx.scope, id.as_str())).await? else { return Ok(None) };
        let policy = live.access_policy.filter(|policy| !policy.is_empty());
        let destination = Destination {
            destination_name: id.as_str().to_owned(),
            target_arn: live.target_arn.unwrap_or_default(),
            role_arn: live.role_arn.unwrap_or_default(),
            destination_policy: policy.map(|policy| PolicyDocument::new(policy.into())),
            tags,
        };
        Ok(Some(Live::tagged(destination, attributes_of(&cx.scope, id.as_str()))))
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        destination: &Destination,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = PhysicalId::from(destination.destination_name.as_str());
        match left {
            Some(_) => complete_what_is_there::<Self>(cx, owner, &id, destination).await?,
            None => {
                put(cx, destination, Some(&destination.tags)).await?;
                put_policy(cx, destination).await?;
            }
        }
        cx.until(DESCRIBE, "the new destination to show", Patience::seconds(60), || described(cx, id.as_str())).await?;
        Ok(Made { attributes: attributes_of(&cx.scope, id.as_str()), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        destination: &Destination,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let takes_off =
            |change: &Change| change.path.property() == Some("DestinationPolicy") && change.desired.is_none();
        if destination.destination_policy.is_none() && changes.0.iter().any(takes_off) {
            // There is no call that takes a policy off: a new destination has none.
            Self::delete(cx, id).await?;
            put(cx, destination, Some(&destination.tags)).await?;
            return Ok(id.clone());
        }
        if changes.touch_any(&["TargetArn", "RoleArn"]) {
            put(cx, destination, None).await?;
        }
        if changes.touch("DestinationPolicy") {
            put_policy(cx, destination).await?;
        }
        if changes.touch("Tags") {
            tagging::sync(cx, &arn_of(&cx.scope, id.as_str()), &destination.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let delete = cx.logs.delete_destination().destination_name(id.as_str());
        gone_is_fine(delete.send().await.during("logs.DeleteDestination"))?;
        cx.until(DESCRIBE, "the destination to be gone", Patience::seconds(60), || async {
            Ok(described(cx, id.as_str()).await?.is_none().then_some(()))
        })
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        Ok(arn.strip_prefix(&arn_of(&cx.scope, "")).map(PhysicalId::from))
    }
}

const DESCRIBE: &str = "logs.DescribeDestinations";

/// The destination of exactly this name; the service finds by the beginning of a name.
async fn described(cx: &Context, name: &str) -> Result<Option<aws_sdk_cloudwatchlogs::types::Destination>, AwsError> {
    let describe = cx.logs.describe_destinations().destination_name_prefix(name);
    let mut pages = describe.into_paginator().send();
    while let Some(page) = pages.next().await {
        let Some(page) = found(DESCRIBE, page)? else { return Ok(None) };
        let mut named = page.destinations.unwrap_or_default().into_iter();
        if let Some(destination) = named.find(|it| it.destination_name() == Some(name)) {
            return Ok(Some(destination));
        }
    }
    Ok(None)
}

/// Tags are taken only while the destination is new. A role that was made a moment ago may not be assumed yet.
async fn put(cx: &Context, destination: &Destination, tags: Option<&Tags>) -> Result<(), AwsError> {
    let put = cx.logs.put_destination().destination_name(&destination.destination_name);
    let put = put.target_arn(&destination.target_arn).role_arn(&destination.role_arn);
    let put = put.set_tags(tags.filter(|tags| !tags.0.is_empty()).map(Tags::to_map));
    let is_fresh = |error: &AwsError| error.says("InvalidParameterException", "Could not deliver test message");
    cx.while_passing(Patience::seconds(120), is_fresh, || async {
        put.clone().send().await.during("logs.PutDestination")
    })
    .await
    .map(drop)
}

async fn put_policy(cx: &Context, destination: &Destination) -> Result<(), AwsError> {
    let Some(policy) = &destination.destination_policy else { return Ok(()) };
    let put = cx.logs.put_destination_policy().destination_name(&destination.destination_name);
    put.access_policy(policy.to_json()).send().await.during("logs.PutDestinationPolicy").map(drop)
}

fn arn_of(scope: &Scope, name: &str) -> String {
    scope.arn("logs", &format!("destination:{name}"))
}

fn attributes_of(scope: &Scope, name: &str) -> Attributes {
    referred(name, [("Arn", arn_of(scope, name))])
}
