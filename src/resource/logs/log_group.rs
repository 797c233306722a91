//! `AWS::Logs::LogGroup`. Found by name. Name and class replace it.
//!
//! Whatever logs can make a group by itself, before its template does or after it has been deleted: Lambda writes for minutes
//! after a function is gone. Deleting therefore does not wait for such a ghost; destroying a stack looks again at its end. See
//! "LogGroup" in the behaviour notes.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatchlogs::types as sdk;
use futures::future::try_join;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::error::{AwsError, During, ErrorClass, found, gone_is_fine, none_if};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::logs::{tagging, when_idle};
use crate::resource::tags::Tags;
use crate::resource::{
    Attributes, Contents, GeneratedName, Handler, Live, Made, Owner, changes_between, json_text, left_to_change,
    referred,
};

pub struct LogsLogGroup;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct LogGroup {
    pub log_group_name: Option<String>,
    pub log_group_class: String,
    /// `None` keeps logs for ever.
    pub retention_in_days: Option<i32>,
    pub kms_key_id: Option<String>,
    #[serde(deserialize_with = "json_text::deserialize")]
    pub data_protection_policy: Option<Value>,
    pub field_index_policies: Vec<FieldIndexPolicy>,
    pub deletion_protection_enabled: bool,
    pub bearer_token_authentication_enabled: bool,
    pub tags: Tags,
}

impl Default for LogGroup {
    fn default() -> Self {
        Self {
            log_group_name: None,
            log_group_class: STANDARD.to_owned(),
            retention_in_days: None,
            kms_key_id: None,
            data_protection_policy: None,
            field_index_policies: Vec::new(),
            deletion_protection_enabled: false,
            bearer_token_authentication_enabled: false,
            tags: Tags::default(),
        }
    }
}

/// The fields that queries can look up, in CloudFormation's and the service's shape.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct FieldIndexPolicy {
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub fields: BTreeSet<String>,
    /// Field to the type of its index.
    #[serde(rename = "FieldsV2", skip_serializing_if = "BTreeMap::is_empty")]
    pub fields_v2: BTreeMap<String, Value>,
}

/// The class that takes every feature.
const STANDARD: &str = "STANDARD";
/// The class whose logs only pass through.
const DELIVERY: &str = "DELIVERY";

impl Handler for LogsLogGroup {
    const TYPE: &'static str = "AWS::Logs::LogGroup";
    const FOUND_BY: &'static [&'static str] = &["LogGroupName"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("LogGroupName", 512));
    const ALSO_CREATE_ONLY: &'static [&'static str] = &["LogGroupClass"];
    const TAGGED_AS: Option<&'static str> = Some("logs:log-group");
    const REFUSED: &'static [(&'static str, &'static str)] = &[(
        "ResourcePolicyDocument",
        "paystack handles no policy of a single log group: write an `AWS::Logs::ResourcePolicy` that names the log group",
    )];
    type Properties = LogGroup;

    fn complete(group: &mut LogGroup) {
        if group.log_group_class == DELIVERY {
            group.retention_in_days = None;
        }
        group.data_protection_policy.take_if(|policy| policy.as_object().is_some_and(serde_json::Map::is_empty));
        group.field_index_policies = one_policy(std::mem::take(&mut group.field_index_policies));
    }

    fn predict(scope: &Scope, group: &LogGroup) -> Attributes {
        group.log_group_name.as_deref().map(|name| attributes_of(scope, name)).unwrap_or_default()
    }

    async fn find(cx: &Context, _owner: &Owner, group: &LogGroup) -> Result<Option<PhysicalId>, AwsError> {
        let name = group.log_group_name.as_deref().unwrap_or_default();
        Ok(described(cx, name).await?.map(|_| PhysicalId::from(name)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<LogGroup>>, AwsError> {
        let name = id.as_str();
        let (described, tags) = try_join(described(cx, name), tagging::read(cx, &arn_of(&cx.scope, name))).await?;
        let (Some(described), Some(tags)) = (described, tags) else { return Ok(None) };
        let is_protected = described.data_protection_status == Some(sdk::DataProtectionStatus::Activated);
        let mut group = LogGroup { tags, ..group_of(described) };
        if is_protected {
            group.data_protection_policy = data_protection_policy(cx, name).await?;
        }
        if group.log_group_class == STANDARD {
            group.field_index_policies = field_index_policies(cx, name).await?;
        }
        Ok(Some(Live::tagged(group, attributes_of(&cx.scope, name))))
    }

    async fn contents(cx: &Context, id: &PhysicalId) -> Result<Option<Contents>, AwsError> {
        let Some(described) = described(cx, id.as_str()).await? else { return Ok(None) };
        let bytes = described.stored_bytes().and_then(|it| u64::try_from(it).ok()).unwrap_or_default();
        // What was written in the last hours is not counted yet.
        let has_new = bytes == 0 && has_streams(cx, id.as_str()).await?;
        Ok(Some(Contents::LogEvents { bytes, has_new }))
    }

    async fn make_new(cx: &Context, owner: &Owner, group: &LogGroup) -> Result<Option<Made>, AwsError> {
        let Some(()) = none_if(make(cx, group).await, AwsError::is_taken)? else { return Ok(None) };
        let name = group.log_group_name.as_deref().unwrap_or_default();
        let left = changes_between(&made(group), group);
        let id = Self::update(cx, owner, &PhysicalId::from(name), group, &left).await?;
        Ok(Some(Made { attributes: attributes_of(&cx.scope, name), id }))
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        group: &LogGroup,
        _left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = PhysicalId::from(group.log_group_name.as_deref().unwrap_or_default());
        none_if(make(cx, group).await, AwsError::is_taken)?;
        let live =
            cx.until(DESCRIBE, "the new log group to show", Patience::seconds(60), || Self::read(cx, &id)).await?;
        if live.properties.log_group_class != group.log_group_class {
            let message = format!("a log group `{id}` of another class came in between: run the same command again");
            return Err(AwsError::new("logs.CreateLogGroup", ErrorClass::AlreadyExists, message));
        }
        Self::update(cx, owner, &id, group, &left_to_change::<Self>(&live, group)).await?;
        Ok(Made { attributes: live.attributes, id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        group: &LogGroup,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let name = id.as_str();
        if changes.touch("KmsKeyId") {
            set_key(cx, name, group.kms_key_id.as_deref()).await?;
        }
        if changes.touch("RetentionInDays") {
            set_retention(cx, name, group.retention_in_days).await?;
        }
        if changes.touch("DataProtectionPolicy") {
            set_data_protection_policy(cx, name, group.data_protection_policy.as_ref()).await?;
        }
        if changes.touch("FieldIndexPolicies") {
            set_field_index_policy(cx, name, group.field_index_policies.first()).await?;
        }
        if changes.touch("DeletionProtectionEnabled") {
            let put = cx.logs.put_log_group_deletion_protection().log_group_identifier(name);
            let put = put.deletion_protection_enabled(group.deletion_protection_enabled);
            when_idle(cx, || async { put.clone().send().await.during("logs.PutLogGroupDeletionProtection") }).await?;
        }
        if changes.touch("BearerTokenAuthenticationEnabled") {
            let put = cx.logs.put_bearer_token_authentication().log_group_identifier(name);
            let put = put.bearer_token_authentication_enabled(group.bearer_token_authentication_enabled);
            when_idle(cx, || async { put.clone().send().await.during("logs.PutBearerTokenAuthentication") }).await?;
        }
        if changes.touch("Tags") {
            tagging::sync(cx, &arn_of(&cx.scope, name), &group.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let delete = cx.logs.delete_log_group().log_group_name(id.as_str());
        let deleted = when_idle(cx, || async { delete.clone().send().await.during("logs.DeleteLogGroup") });
        gone_is_fine(deleted.await)?;
        cx.until(DESCRIBE, "the log group to be gone", Patience::seconds(60), || async {
            Ok(described(cx, id.as_str()).await?.is_none().then_some(()))
        })
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        let name = arn.strip_prefix(&arn_of(&cx.scope, ""));
        Ok(name.map(|name| PhysicalId::from(name.strip_suffix(":*").unwrap_or(name))))
    }
}

const DESCRIBE: &str = "logs.DescribeLogGroups";

/// The log group of exactly this name; the service finds by the beginning of a name.
async fn described(cx: &Context, name: &str) -> Result<Option<sdk::LogGroup>, AwsError> {
    cx.together(DESCRIBE, LogsLogGroup::TYPE, name, MOST, |names| describe(cx, names)).await
}

/// How many identifiers DescribeLogGroups takes.
const MOST: usize = 50;

/// The groups of exactly these names. A single one is found by the beginning of its name, since the list of identifiers may
/// refuse one that is not there.
async fn describe(cx: &Context, names: Vec<String>) -> Result<BTreeMap<String, sdk::LogGroup>, AwsError> {
    let describe = cx.logs.describe_log_groups();
    let describe = match names.as_slice() {
        [name] => describe.log_group_name_prefix(name),
        names => describe.set_log_group_identifiers(Some(names.to_vec())),
    };
    let mut groups = describe.into_paginator().items().send();
    let mut described = BTreeMap::new();
    while described.len() < names.len()
        && let Some(group) = groups.next().await
    {
        let group = group.during(DESCRIBE)?;
        if let Some(name) = names.iter().find(|name| group.log_group_name() == Some(name)) {
            described.insert(name.clone(), group);
        }
    }
    Ok(described)
}

/// Whether anything was ever written. Whoever may not look does not know.
async fn has_streams(cx: &Context, name: &str) -> Result<bool, AwsError> {
    let answer = cx.logs.describe_log_streams().log_group_name(name).limit(50).send().await;
    match found("logs.DescribeLogStreams", answer) {
        Ok(answer) => Ok(answer.is_some_and(|it| it.log_streams().iter().any(|it| it.last_ingestion_time().is_some()))),
        Err(error) if error.class == ErrorClass::Denied => Ok(false),
        Err(error) => Err(error),
    }
}

/// What CreateLogGroup makes of it.
pub(crate) fn made(group: &LogGroup) -> LogGroup {
    LogGroup {
        log_group_name: group.log_group_name.clone(),
        log_group_class: group.log_group_class.clone(),
        kms_key_id: group.kms_key_id.clone(),
        tags: group.tags.clone(),
        ..LogGroup::default()
    }
}

async fn make(cx: &Context, group: &LogGroup) -> Result<(), AwsError> {
    let create = cx.logs.create_log_group().set_log_group_name(group.log_group_name.clone());
    let create = create.set_kms_key_id(group.kms_key_id.clone()).log_group_class(group.log_group_class.as_str().into());
    let create = create.set_tags((!group.tags.0.is_empty()).then(|| group.tags.to_map()));
    when_idle(cx, || async { create.clone().send().await.during("logs.CreateLogGroup") }).await?;
    Ok(())
}

async fn set_key(cx: &Context, name: &str, key: Option<&str>) -> Result<(), AwsError> {
    match key {
        Some(key) => {
            let associate = cx.logs.associate_kms_key().log_group_name(name).kms_key_id(key);
            when_idle(cx, || async { associate.clone().send().await.during("logs.AssociateKmsKey") }).await?;
        }
        None => {
            let disassociate = cx.logs.disassociate_kms_key().log_group_name(name);
            when_idle(cx, || async { disassociate.clone().send().await.during("logs.DisassociateKmsKey") }).await?;
        }
    }
    Ok(())
}

async fn set_retention(cx: &Context, name: &str, days: Option<i32>) -> Result<(), AwsError> {
    match days {
        Some(days) => {
            let put = cx.logs.put_retention_policy().log_group_name(name).retention_in_days(days);
            when_idle(cx, || async { put.clone().send().await.during("logs.PutRetentionPolicy") }).await?;
        }
        None => {
            let delete = cx.logs.delete_retention_policy().log_group_name(name);
            when_idle(cx, || async { delete.clone().send().await.during("logs.DeleteRetentionPolicy") }).await?;
        }
    }
    Ok(())
}

async fn data_protection_policy(cx: &Context, name: &str) -> Result<Option<Value>, AwsError> {
    let answer = cx.logs.get_data_protection_policy().log_group_identifier(name).send().await;
    let text = found("logs.GetDataProtectionPolicy", answer)?.and_then(|answer| answer.policy_document);
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

async fn set_data_protection_policy(cx: &Context, name: &str, policy: Option<&Value>) -> Result<(), AwsError> {
    match policy {
        Some(policy) => {
            let put =
                cx.logs.put_data_protection_policy().log_group_identifier(name).policy_document(policy.to_string());
            when_idle(cx, || async { put.clone().send().await.during("logs.PutDataProtectionPolicy") }).await?;
        }
        None => {
            let delete = cx.logs.delete_data_protection_policy().log_group_identifier(name);
            when_idle(cx, || async { delete.clone().send().await.during("logs.DeleteDataProtectionPolicy") }).await?;
        }
    }
    Ok(())
}

/// The log group's own policy; one of the account's is none of the template's business.
async fn field_index_policies(cx: &Context, name: &str) -> Result<Vec<FieldIndexPolicy>, AwsError> {
    let answer = cx.logs.describe_index_policies().log_group_identifiers(name).send().await;
    let answer = found("logs.DescribeIndexPolicies", answer)?;
    let policies = answer.and_then(|answer| answer.index_policies).unwrap_or_default();
    let own = policies.into_iter().filter(|policy| policy.source() != Some(&sdk::IndexSource::Account));
    Ok(own.filter_map(|policy| serde_json::from_str(policy.policy_document()?).ok()).collect())
}

async fn set_field_index_policy(cx: &Context, name: &str, policy: Option<&FieldIndexPolicy>) -> Result<(), AwsError> {
    match policy.and_then(|policy| serde_json::to_string(policy).ok()) {
        Some(document) => {
            let put = cx.logs.put_index_policy().log_group_identifier(name).policy_document(document);
            when_idle(cx, || async { put.clone().send().await.during("logs.PutIndexPolicy") }).await?;
        }
        None => {
            let delete = cx.logs.delete_index_policy().log_group_identifier(name);
            when_idle(cx, || async { delete.clone().send().await.during("logs.DeleteIndexPolicy") }).await?;
        }
    }
    Ok(())
}

/// What the description says; tags and policies are asked for apart.
fn group_of(live: sdk::LogGroup) -> LogGroup {
    LogGroup {
        log_group_name: live.log_group_name,
        log_group_class: live.log_group_class.map_or_else(|| STANDARD.to_owned(), |class| class.as_str().to_owned()),
        retention_in_days: live.retention_in_days,
        kms_key_id: live.kms_key_id,
        deletion_protection_enabled: live.deletion_protection_enabled.unwrap_or_default(),
        bearer_token_authentication_enabled: live.bearer_token_authentication_enabled.unwrap_or_default(),
        ..LogGroup::default()
    }
}

/// A log group has one policy, which indexes what all of the template's policies name.
fn one_policy(policies: Vec<FieldIndexPolicy>) -> Vec<FieldIndexPolicy> {
    let merge = |mut one: FieldIndexPolicy, other: FieldIndexPolicy| {
        one.fields.extend(other.fields);
        one.fields_v2.extend(other.fields_v2);
        one
    };
    policies.into_iter().reduce(merge).into_iter().collect()
}

/// The ARN that tags go by, without the `:*` that the attribute `Arn` ends in.
fn arn_of(scope: &Scope, name: &str) -> String {
    scope.arn("logs", &format!("log-group:{name}"))
}

fn attributes_of(scope: &Scope, name: &str) -> Attributes {
    referred(name, [("Arn", format!("{}:*", arn_of(scope, name)))])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn group(properties: Value) -> LogGroup {
        let mut group = serde_json::from_value(properties).unwrap();
        LogsLogGroup::complete(&mut group);
        group
    }

    #[test]
    fn a_log_group_that_nobody_set_anything_on_is_one_whose_template_is_silent() {
        let live = sdk::LogGroup::builder().log_group_name("orders").stored_bytes(0).metric_filter_count(0).build();
        assert_eq!(group_of(live), group(json!({"LogGroupName": "orders"})));
    }

    #[test]
    fn a_log_group_for_delivery_has_no_retention_of_its_own() {
        assert_eq!(group(json!({"LogGroupClass": "DELIVERY", "RetentionInDays": 7})).retention_in_days, None);
    }

    #[test]
    fn several_index_policies_are_the_one_that_the_service_keeps() {
        let several = group(json!({"FieldIndexPolicies": [{"Fields": ["b"]}, {"Fields": ["a", "b"]}]}));
        assert_eq!(several, group(json!({"FieldIndexPolicies": [{"Fields": ["a", "b"]}]})));
        assert_eq!(serde_json::to_string(&several.field_index_policies[0]).unwrap(), r#"{"Fields":["a","b"]}"#);
    }
}
