//! `AWS::Lambda::LayerVersion`. Found by the mark in its description. Everything replaces it: a version is published once.
//!
//! Versions take no tags and their numbers are never given twice, so the owner and the zip's digest stand behind the user's
//! own text in the description: `Shared code [paystack payments-dev/Libraries sha256:…]`. That makes looking for a version
//! one call. Text and mark together may have 256 characters. The core refuses content in S3 before a handler sees it.
//!
//! A version without the mark is not looked for: nothing of it can change, and one of our own is published beside it. One that
//! another tool or the ledger names by its ARN is taken as it is, and can carry none.

use std::collections::BTreeSet;

use aws_sdk_lambda::types::{Architecture, LayerVersionContentInput, LayerVersionsListItem, Runtime};
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, ErrorClass, absent_is_none, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::{PhysicalId, StackId};
use crate::resource::lambda::description::{self, DescriptionMark};
use crate::resource::lambda::upload::{self, Zip};
use crate::resource::{Attributes, GeneratedName, Handler, Live, Made, Mark, Owner, referred};
use crate::unknown;

pub struct LambdaLayerVersion;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct LayerVersion {
    pub layer_name: Option<String>,
    pub content: Zip,
    pub description: String,
    pub compatible_runtimes: BTreeSet<String>,
    pub compatible_architectures: BTreeSet<String>,
    pub license_info: Option<String>,
}

impl Handler for LambdaLayerVersion {
    const TYPE: &'static str = "AWS::Lambda::LayerVersion";
    const FOUND_BY: &'static [&'static str] = &["LayerName"];
    const CREATES_ANOTHER: bool = true;
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("LayerName", 140));
    const IS_UNIQUE: bool = false;
    type Properties = LayerVersion;

    fn complete(layer: &mut LayerVersion) {
        if let Some(name) = layer.layer_name.as_mut().filter(|name| !unknown::is_in(name)) {
            *name = name.rsplit(':').next().unwrap_or_default().to_owned();
        }
        layer.license_info.take_if(|license| license.is_empty());
    }

    /// A version's number is Lambda's to give.
    fn predict(_scope: &Scope, _layer: &LayerVersion) -> Attributes {
        Attributes::new()
    }

    /// The newest version of this owner, whatever its content: reading it tells what differs.
    async fn find(cx: &Context, owner: &Owner, layer: &LayerVersion) -> Result<Option<PhysicalId>, AwsError> {
        let versions = versions(cx, name_of(layer)?).await?;
        let ours = versions.into_iter().find(|version| marked(version).as_ref() == Some(owner));
        Ok(ours.and_then(|version| version.layer_version_arn).map(PhysicalId::from))
    }

    async fn find_made(cx: &Context, owner: &Owner, layer: &LayerVersion) -> Result<Option<PhysicalId>, AwsError> {
        let description = description_of(owner, layer)?;
        let versions = versions(cx, name_of(layer)?).await?;
        let same = versions.into_iter().find(|version| is_same(version, &description, layer));
        Ok(same.and_then(|version| version.layer_version_arn).map(PhysicalId::from))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<LayerVersion>>, AwsError> {
        let (name, number) = parts(id)?;
        let get = cx.lambda.get_layer_version().layer_name(name).version_number(number);
        let Some(answer) = found("lambda.GetLayerVersion", get.send().await)? else { return Ok(None) };
        let (description, mark) = description::split(answer.description.as_deref());
        let digest = answer.content.and_then(|content| content.code_sha256);
        let layer = LayerVersion {
            layer_name: Some(name.to_owned()),
            content: Zip { sha256: digest.unwrap_or_default() },
            description: description.to_owned(),
            compatible_runtimes: runtimes(answer.compatible_runtimes.as_deref()),
            compatible_architectures: architectures(answer.compatible_architectures.as_deref()),
            license_info: answer.license_info,
        };
        let mark = Mark::in_name(mark.map(|mark| mark.owner));
        Ok(Some(Live { properties: layer, attributes: attributes_of(id.as_str()), mark }))
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        layer: &LayerVersion,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = match left {
            Some(id) => id,
            None => {
                let arn = publish(cx, layer, &description_of(owner, layer)?).await?;
                PhysicalId::from(arn.ok_or_else(|| AwsError::missing(PUBLISH, "LayerVersionArn"))?)
            }
        };
        Ok(Made { attributes: attributes_of(id.as_str()), id })
    }

    /// Nothing of a version can change.
    async fn update(
        _cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        _layer: &LayerVersion,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        Ok(id.clone())
    }

    /// Functions that use the version go on working.
    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let (name, number) = parts(id)?;
        let delete = cx.lambda.delete_layer_version().layer_name(name).version_number(number);
        gone_is_fine(delete.send().await.during("lambda.DeleteLayerVersion"))?;
        cx.until("lambda.GetLayerVersion", "the layer version to be gone", Patience::seconds(60), || async {
            let get = cx.lambda.get_layer_version().layer_name(name).version_number(number);
            Ok(found("lambda.GetLayerVersion", get.send().await)?.is_none().then_some(()))
        })
        .await
    }

    /// Looks into the layers whose name begins with the stack's id (all generated names do) and into those whose newest
    /// version is the stack's. A layer of another name that somebody else has published to since is not looked into: that
    /// would take a call for every layer of the account.
    async fn sweep(cx: &Context, stack: &StackId) -> Result<Vec<(Owner, PhysicalId)>, AwsError> {
        let is_ours = |version: &LayerVersionsListItem| marked(version).filter(|owner| owner.stack == *stack);
        let layers = cx.lambda.list_layers().into_paginator().items().send();
        let layers: Result<Vec<_>, _> = layers.collect().await;
        let mut swept = Vec::new();
        for layer in layers.during("lambda.ListLayers")? {
            let name = layer.layer_name.unwrap_or_default();
            let newest_is_ours = layer.latest_matching_version.is_some_and(|version| is_ours(&version).is_some());
            if newest_is_ours || name.starts_with(stack.as_str()) {
                swept.extend(versions(cx, &name).await?.into_iter().filter_map(|version| {
                    let owner = is_ours(&version)?;
                    Some((owner, PhysicalId::from(version.layer_version_arn?)))
                }));
            }
        }
        Ok(swept)
    }
}

fn marked(version: &LayerVersionsListItem) -> Option<Owner> {
    description::owner(version.description.as_deref())
}

fn description_of(owner: &Owner, layer: &LayerVersion) -> Result<String, AwsError> {
    let mark = DescriptionMark { owner: owner.clone(), digest: Some(layer.content.sha256.clone()) };
    mark.behind(&layer.description, PUBLISH)
}

fn is_same(version: &LayerVersionsListItem, description: &str, layer: &LayerVersion) -> bool {
    version.description.as_deref() == Some(description)
        && runtimes(version.compatible_runtimes.as_deref()) == layer.compatible_runtimes
        && architectures(version.compatible_architectures.as_deref()) == layer.compatible_architectures
        && version.license_info == layer.license_info
}

const PUBLISH: &str = "lambda.PublishLayerVersion";

async fn publish(cx: &Context, layer: &LayerVersion, description: &str) -> Result<Option<String>, AwsError> {
    let zip = layer.content.upload(cx, PUBLISH)?;
    let content = LayerVersionContentInput::builder().zip_file(upload::stand_in()).build();
    let publish = cx
        .lambda
        .publish_layer_version()
        .layer_name(name_of(layer)?)
        .description(description)
        .content(content)
        .set_compatible_runtimes(Some(layer.compatible_runtimes.iter().map(|it| Runtime::from(it.as_str())).collect()))
        .set_compatible_architectures(Some(
            layer.compatible_architectures.iter().map(|it| Architecture::from(it.as_str())).collect(),
        ))
        .set_license_info(layer.license_info.clone());
    let answer = upload::carrying(publish.customize(), zip).send().await.during(PUBLISH)?;
    Ok(answer.layer_version_arn)
}

/// All versions of a layer, the newest first. A layer that is not there has none.
async fn versions(cx: &Context, name: &str) -> Result<Vec<LayerVersionsListItem>, AwsError> {
    let list = cx.lambda.list_layer_versions().layer_name(name).into_paginator().items().send();
    let answer: Result<Vec<_>, _> = list.collect().await;
    let mut versions = absent_is_none(answer.during("lambda.ListLayerVersions"))?.unwrap_or_default();
    versions.sort_by_key(|version| std::cmp::Reverse(version.version));
    Ok(versions)
}

fn name_of(layer: &LayerVersion) -> Result<&str, AwsError> {
    layer
        .layer_name
        .as_deref()
        .ok_or_else(|| AwsError::new("lambda.ListLayerVersions", ErrorClass::Invalid, "the layer has no `LayerName`"))
}

/// Name and number of the version that an ARN names.
fn parts(id: &PhysicalId) -> Result<(&str, i64), AwsError> {
    let mut from_the_end = id.as_str().rsplit(':');
    let number = from_the_end.next().and_then(|number| number.parse().ok());
    number.zip(from_the_end.next()).map(|(number, name)| (name, number)).ok_or_else(|| {
        let message = format!("`{id}` is no ARN of a layer version");
        AwsError::new("lambda.GetLayerVersion", ErrorClass::Invalid, message)
    })
}

fn attributes_of(arn: &str) -> Attributes {
    referred(arn, [("LayerVersionArn", arn.to_owned())])
}

fn runtimes(names: Option<&[Runtime]>) -> BTreeSet<String> {
    names.unwrap_or_default().iter().map(|name| name.as_str().to_owned()).collect()
}

fn architectures(names: Option<&[Architecture]>) -> BTreeSet<String> {
    names.unwrap_or_default().iter().map(|name| name.as_str().to_owned()).collect()
}
