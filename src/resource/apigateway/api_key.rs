//! `AWS::ApiGateway::ApiKey`. Names repeat: found by name and the tags of its owner. Name and value replace it.
//!
//! A value that the template gives is part of the key's properties, one that the service makes up is not; a tag tells them
//! apart when the key is read. Neither is ever printed: the properties have no `Debug`.
//!
//! `StageKeys` is from before there were usage plans, and opens no stage since ("AWS::ApiGateway::ApiKey": deprecated in favour of
//! usage plans). CDK still writes it beside the plan: it is taken, and nothing follows from it.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_apigateway::types::ApiKey as Listed;
use serde::{Deserialize, Serialize};

use super::patch::{self, replace, sync_tags, write};
use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::tags::Tags;
use crate::resource::{Attributes, GeneratedName, Handler, Live, Made, Owner, referred};

pub struct ApiGatewayApiKey;

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct ApiKey {
    pub name: Option<String>,
    pub description: Option<String>,
    pub enabled: bool,
    pub customer_id: Option<String>,
    /// Whether the key's id is another text than its value.
    pub generate_distinct_id: bool,
    pub value: Option<String>,
    pub stage_keys: BTreeSet<StageKey>,
    pub tags: Tags,
}

/// A stage of an API.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct StageKey {
    pub rest_api_id: Option<String>,
    pub stage_name: Option<String>,
}

impl Default for ApiKey {
    fn default() -> Self {
        Self {
            name: None,
            description: None,
            enabled: false,
            customer_id: None,
            generate_distinct_id: true,
            value: None,
            stage_keys: BTreeSet::new(),
            tags: Tags::default(),
        }
    }
}

/// The tag of a key whose value stands in the template.
const VALUE_IS_DECLARED: (&str, &str) = ("paystack:value", "declared");

impl Handler for ApiGatewayApiKey {
    const TYPE: &'static str = "AWS::ApiGateway::ApiKey";
    const FOUND_BY: &'static [&'static str] = &["Name"];
    const CREATES_ANOTHER: bool = true;
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("Name", 128));
    const SECRETS: &'static [&'static str] = &["Value"];
    const TAGGED_AS: Option<&'static str> = Some("apigateway:apikeys");
    type Properties = ApiKey;

    fn complete(key: &mut ApiKey) {
        key.description.take_if(|text| text.is_empty());
        key.customer_id.take_if(|text| text.is_empty());
        key.stage_keys.clear();
    }

    fn predict(_scope: &Scope, _key: &ApiKey) -> Attributes {
        Attributes::new()
    }

    async fn find(cx: &Context, owner: &Owner, key: &ApiKey) -> Result<Option<PhysicalId>, AwsError> {
        Ok(find_owned(cx, owner, key.name.as_deref().unwrap_or_default()).await?.map(PhysicalId::from))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<ApiKey>>, AwsError> {
        let answer = cx.apigateway.get_api_key().api_key(id.as_str()).include_value(true).send().await;
        let Some(shown) = found("apigateway.GetApiKey", answer)? else { return Ok(None) };
        let mut tags: Tags = shown.tags.unwrap_or_default().into();
        let is_declared = tags.0.remove(VALUE_IS_DECLARED.0).is_some();
        let key = ApiKey {
            name: shown.name,
            description: shown.description,
            enabled: shown.enabled,
            customer_id: shown.customer_id,
            generate_distinct_id: shown.value.as_deref() != Some(id.as_str()),
            value: shown.value.filter(|_| is_declared),
            stage_keys: BTreeSet::new(),
            tags,
        };
        Ok(Some(Live::tagged(key, attributes(id.as_str()))))
    }

    async fn create(cx: &Context, _owner: &Owner, key: &ApiKey, left: Option<PhysicalId>) -> Result<Made, AwsError> {
        let id = match left {
            Some(id) => id,
            None => PhysicalId::from(make(cx, key).await?),
        };
        Ok(Made { attributes: attributes(id.as_str()), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        key: &ApiKey,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let texts =
            [("Description", "/description", &key.description), ("CustomerId", "/customerId", &key.customer_id)];
        let mut patches: Vec<_> = texts
            .into_iter()
            .filter(|(property, ..)| changes.touch(property))
            .map(|(_, path, text)| replace(path, text.as_deref().unwrap_or_default()))
            .collect();
        if changes.touch("Enabled") {
            patches.push(replace("/enabled", key.enabled));
        }
        if !patches.is_empty() {
            let update = cx.apigateway.update_api_key().api_key(id.as_str()).set_patch_operations(Some(patches));
            write(cx, id.as_str(), || async { update.clone().send().await.during("apigateway.UpdateApiKey") }).await?;
        }
        if changes.touch("Tags") {
            sync_tags(cx, id.as_str(), &format!("/apikeys/{id}"), &tags_of(key)).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        gone_is_fine(cx.apigateway.delete_api_key().api_key(id.as_str()).send().await.during("apigateway.DeleteApiKey"))
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        Ok(arn.strip_prefix(&patch::arn(&cx.scope, "/apikeys/")).map(PhysicalId::from))
    }
}

fn attributes(id: &str) -> Attributes {
    referred(id, [("APIKeyId", id.to_owned())])
}

fn tags_of(key: &ApiKey) -> Tags {
    let mut tags = key.tags.clone();
    if key.value.is_some() {
        let (name, text) = VALUE_IS_DECLARED;
        tags.0.insert(name.to_owned(), text.to_owned());
    }
    tags
}

/// The service looks for names that begin so, and need not list the tags.
async fn find_owned(cx: &Context, owner: &Owner, name: &str) -> Result<Option<String>, AwsError> {
    let pages = cx.apigateway.get_api_keys().name_query(name).limit(500).into_paginator().items().send();
    let keys: Vec<Listed> = pages.try_collect().await.during("apigateway.GetApiKeys")?;
    for key in keys.into_iter().filter(|key| key.name() == Some(name)) {
        let Some(id) = key.id else { continue };
        let tags = match key.tags {
            Some(tags) => tags,
            None => tags_shown(cx, &id).await?,
        };
        if Tags::from(tags).owner().as_ref() == Some(owner) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

async fn tags_shown(cx: &Context, id: &str) -> Result<HashMap<String, String>, AwsError> {
    let answer = found("apigateway.GetApiKey", cx.apigateway.get_api_key().api_key(id).send().await)?;
    Ok(answer.and_then(|shown| shown.tags).unwrap_or_default())
}

async fn make(cx: &Context, key: &ApiKey) -> Result<String, AwsError> {
    let create = cx.apigateway.create_api_key().set_name(key.name.clone()).set_value(key.value.clone());
    let create = create
        .set_description(key.description.clone())
        .set_customer_id(key.customer_id.clone())
        .enabled(key.enabled)
        .generate_distinct_id(key.generate_distinct_id)
        .set_tags(Some(tags_of(key).to_map()));
    let created = create.send().await.during("apigateway.CreateApiKey")?;
    created.id.ok_or_else(|| AwsError::missing("apigateway.CreateApiKey", "id"))
}
