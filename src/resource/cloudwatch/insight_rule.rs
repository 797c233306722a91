//! `AWS::CloudWatch::InsightRule`: counts who contributes most to what stands in logs. Found by name, which replaces it. Tags it
//! takes only while the rule is new.

use std::slice;
use std::sync::Arc;

use aws_sdk_cloudwatch::types as sdk;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::error::{AwsError, During};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::cloudwatch::{sdk_tag, sync_tags, tags_of};
use crate::resource::tags::Tags;
use crate::resource::{Attributes, Handler, Live, Made, Owner, complete_what_is_there, json_text, referred};

pub struct CloudWatchInsightRule;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct InsightRule {
    pub rule_name: String,
    /// JSON; what only differs in how it is written is equal.
    #[serde(deserialize_with = "json_text::deserialize")]
    pub rule_body: Option<Value>,
    pub rule_state: String,
    pub apply_on_transformed_logs: bool,
    pub tags: Tags,
}

impl Handler for CloudWatchInsightRule {
    const TYPE: &'static str = "AWS::CloudWatch::InsightRule";
    const FOUND_BY: &'static [&'static str] = &["RuleName"];
    /// How many one call takes is not documented. An account has a hundred.
    const DELETED_TOGETHER: usize = 100;
    const TAGGED_AS: Option<&'static str> = Some("cloudwatch:insight-rule");
    type Properties = InsightRule;

    fn predict(scope: &Scope, rule: &InsightRule) -> Attributes {
        attributes_of(scope, &rule.rule_name)
    }

    async fn find(cx: &Context, _owner: &Owner, rule: &InsightRule) -> Result<Option<PhysicalId>, AwsError> {
        Ok(described(cx, &rule.rule_name).await?.map(|_| PhysicalId::from(rule.rule_name.as_str())))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<InsightRule>>, AwsError> {
        let Some(live) = described(cx, id.as_str()).await? else { return Ok(None) };
        let definition = live.definition.unwrap_or_default();
        let rule = InsightRule {
            rule_name: id.as_str().to_owned(),
            rule_body: Some(serde_json::from_str(&definition).unwrap_or(Value::String(definition))),
            rule_state: live.state.unwrap_or_default(),
            apply_on_transformed_logs: live.apply_on_transformed_logs.unwrap_or_default(),
            tags: tags_of(cx, &arn_of(&cx.scope, id.as_str())).await?,
        };
        Ok(Some(Live::tagged(rule, attributes_of(&cx.scope, id.as_str()))))
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        rule: &InsightRule,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = PhysicalId::from(rule.rule_name.as_str());
        match left {
            None => put(cx, rule).await?,
            Some(_) => complete_what_is_there::<Self>(cx, owner, &id, rule).await?,
        }
        cx.until(DESCRIBE, "the new rule to show", Patience::seconds(60), || described(cx, id.as_str())).await?;
        Ok(Made { attributes: attributes_of(&cx.scope, id.as_str()), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        rule: &InsightRule,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        if changes.touch_other_than("Tags") {
            put(cx, rule).await?;
        }
        if changes.touch("Tags") {
            sync_tags(cx, &arn_of(&cx.scope, id.as_str()), &rule.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        Self::delete_together(cx, slice::from_ref(id)).await
    }

    /// A rule that cannot be deleted is named in the answer, and the others go ("DeleteInsightRules"). Of a rule that is not there
    /// the service says nothing.
    async fn delete_together(cx: &Context, ids: &[PhysicalId]) -> Result<(), AwsError> {
        const DELETE: &str = "cloudwatch.DeleteInsightRules";
        let names = ids.iter().map(ToString::to_string).collect();
        let answer = cx.cloudwatch.delete_insight_rules().set_rule_names(Some(names)).send().await.during(DELETE)?;
        cx.until(DESCRIBE, "the rules to be gone", Patience::seconds(60), || async {
            let rules = listed(cx).await?;
            let is_there = |name: &str| rules.iter().any(|rule| rule.name() == Some(name));
            let refused = answer.failures().iter().find(|failure| failure.failure_resource().is_some_and(is_there));
            match refused {
                Some(failure) => Err(refusal(DELETE, failure)),
                None => Ok((!ids.iter().any(|id| is_there(id.as_str()))).then_some(())),
            }
        })
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        Ok(arn.strip_prefix(&arn_of(&cx.scope, "")).map(PhysicalId::from))
    }
}

const DESCRIBE: &str = "cloudwatch.DescribeInsightRules";

async fn described(cx: &Context, name: &str) -> Result<Option<sdk::InsightRule>, AwsError> {
    Ok(listed(cx).await?.iter().find(|rule| rule.name() == Some(name)).cloned())
}

/// The list takes no name: one serves every rule of a survey.
async fn listed(cx: &Context) -> Result<Arc<Vec<sdk::InsightRule>>, AwsError> {
    cx.once(DESCRIBE, "", || async {
        let mut pages = cx.cloudwatch.describe_insight_rules().into_paginator().send();
        let mut rules = Vec::new();
        while let Some(page) = pages.next().await {
            rules.extend(page.during(DESCRIBE)?.insight_rules.unwrap_or_default());
        }
        Ok(Arc::new(rules))
    })
    .await
}

fn refusal(operation: &'static str, failure: &sdk::PartialFailure) -> AwsError {
    let code = failure.failure_code().or(failure.exception_type()).unwrap_or("Refused");
    let rule = failure.failure_resource().unwrap_or_default();
    let message = format!("the rule `{rule}`: {}", failure.failure_description().unwrap_or(code));
    AwsError::answered(operation, code.to_owned(), message, 200)
}

async fn put(cx: &Context, rule: &InsightRule) -> Result<(), AwsError> {
    let put = cx
        .cloudwatch
        .put_insight_rule()
        .rule_name(&rule.rule_name)
        .rule_definition(json_text::written(rule.rule_body.as_ref()))
        .rule_state(&rule.rule_state)
        .apply_on_transformed_logs(rule.apply_on_transformed_logs)
        .set_tags(Some(rule.tags.to_sdk(sdk_tag)));
    put.send().await.during("cloudwatch.PutInsightRule").map(drop)
}

fn arn_of(scope: &Scope, name: &str) -> String {
    scope.arn("cloudwatch", &format!("insight-rule/{name}"))
}

fn attributes_of(scope: &Scope, name: &str) -> Attributes {
    let arn = arn_of(scope, name);
    referred(arn.as_str(), [("Arn", arn.clone())])
}
