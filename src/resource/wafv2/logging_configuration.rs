//! `AWS::WAFv2::LoggingConfiguration`. A web ACL has one at most, and it is written whole.

use std::collections::BTreeSet;

use aws_sdk_wafv2::types as sdk;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::wafv2::field::FieldToMatch;
use crate::resource::wafv2::shape::{Shape, Untranslatable, Word, kinds, shapes};
use crate::resource::wafv2::{WRITING, once_visible, passes, unreadable, unsayable};
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct Wafv2LoggingConfiguration;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct LoggingConfiguration {
    /// The web ACL.
    pub resource_arn: String,
    pub log_destination_configs: Vec<String>,
    pub logging_filter: Option<LoggingFilter>,
    /// What is left out of the log.
    #[serde(default)]
    pub redacted_fields: BTreeSet<FieldToMatch>,
}

shapes! {
    LoggingFilter = LoggingFilter {
        default_behavior: Word<sdk::FilterBehavior>,
        filters: Vec<Filter>,
    }

    Filter = Filter {
        behavior: Word<sdk::FilterBehavior>,
        requirement: Word<sdk::FilterRequirement>,
        conditions: Vec<Condition>,
    }

    ActionCondition = ActionCondition {
        action: Word<sdk::ActionValue>,
    }

    LabelNameCondition = LabelNameCondition {
        label_name: String,
    }
}

kinds! {
    Condition = Condition {
        ActionCondition(ActionCondition): action_condition,
        LabelNameCondition(LabelNameCondition): label_name_condition,
    }
}

impl Handler for Wafv2LoggingConfiguration {
    const TYPE: &'static str = "AWS::WAFv2::LoggingConfiguration";
    const FOUND_BY: &'static [&'static str] = &["ResourceArn"];
    const PART_OF: &'static [&'static str] = &["ResourceArn"];
    type Properties = LoggingConfiguration;

    fn complete(configuration: &mut LoggingConfiguration) {
        // A log group's own attribute `Arn` ends in this; WAF wants it without.
        for destination in &mut configuration.log_destination_configs {
            if let Some(arn) = destination.strip_suffix(":*") {
                *destination = arn.to_owned();
            }
        }
    }

    fn predict(_scope: &Scope, configuration: &LoggingConfiguration) -> Attributes {
        referred(&configuration.resource_arn, [])
    }

    async fn find(
        cx: &Context,
        _owner: &Owner,
        configuration: &LoggingConfiguration,
    ) -> Result<Option<PhysicalId>, AwsError> {
        let arn = &configuration.resource_arn;
        Ok(look(cx, arn).await?.map(|_| PhysicalId::from(arn.as_str())))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<LoggingConfiguration>>, AwsError> {
        let Some(live) = look(cx, id.as_str()).await? else { return Ok(None) };
        let attributes = attributes_of(&live);
        Ok(Some(Live::unmarkable(from_sdk(live).map_err(unreadable(GET))?, attributes)))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        configuration: &LoggingConfiguration,
        _left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        put(cx, configuration).await?;
        let arn = &configuration.resource_arn;
        cx.until(GET, "the logging configuration to show", Patience::seconds(60), || async {
            let seen = look(cx, arn).await?;
            Ok(seen.map(|live| Made { id: PhysicalId::from(arn.as_str()), attributes: attributes_of(&live) }))
        })
        .await
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        configuration: &LoggingConfiguration,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        put(cx, configuration).await?;
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let delete = cx.wafv2.delete_logging_configuration().resource_arn(id.as_str());
        gone_is_fine(
            cx.while_passing(WRITING, passes, || async {
                delete.clone().send().await.during("wafv2.DeleteLoggingConfiguration")
            })
            .await,
        )?;
        cx.until(GET, "the logging configuration to be gone", Patience::seconds(60), || async {
            Ok(look(cx, id.as_str()).await?.is_none().then_some(()))
        })
        .await
    }
}

const GET: &str = "wafv2.GetLoggingConfiguration";

async fn look(cx: &Context, arn: &str) -> Result<Option<sdk::LoggingConfiguration>, AwsError> {
    let get = cx.wafv2.get_logging_configuration().resource_arn(arn);
    let ask = || async { Ok(found(GET, get.send().await)?.and_then(|answer| answer.logging_configuration)) };
    cx.once(GET, arn, ask).await
}

async fn put(cx: &Context, configuration: &LoggingConfiguration) -> Result<(), AwsError> {
    const PUT: &str = "wafv2.PutLoggingConfiguration";
    let configuration = to_sdk(configuration).map_err(unsayable(PUT))?;
    let put = cx.wafv2.put_logging_configuration().logging_configuration(configuration);
    let put = || async { put.clone().send().await.during(PUT) };
    once_visible(cx, || cx.while_passing(WRITING, passes, put)).await.map(drop)
}

pub(super) fn to_sdk(configuration: &LoggingConfiguration) -> Result<sdk::LoggingConfiguration, Untranslatable> {
    let redacted = Some(configuration.redacted_fields.to_parts()?).filter(|fields| !fields.is_empty());
    let built = sdk::LoggingConfiguration::builder()
        .resource_arn(&configuration.resource_arn)
        .set_log_destination_configs(Some(configuration.log_destination_configs.clone()))
        .set_redacted_fields(redacted)
        .set_logging_filter(configuration.logging_filter.to_part()?)
        .build();
    Ok(built?)
}

pub(super) fn from_sdk(live: sdk::LoggingConfiguration) -> Result<LoggingConfiguration, Untranslatable> {
    Ok(LoggingConfiguration {
        resource_arn: live.resource_arn,
        log_destination_configs: live.log_destination_configs,
        logging_filter: Shape::from_sdk(live.logging_filter).map_err(|error| error.within("LoggingFilter"))?,
        redacted_fields: Shape::from_sdk(live.redacted_fields).map_err(|error| error.within("RedactedFields"))?,
    })
}

fn attributes_of(live: &sdk::LoggingConfiguration) -> Attributes {
    let mut attributes = referred(&live.resource_arn, []);
    attributes.insert("ManagedByFirewallManager".to_owned(), Value::Bool(live.managed_by_firewall_manager));
    attributes
}
