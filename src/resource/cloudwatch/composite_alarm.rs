//! `AWS::CloudWatch::CompositeAlarm`. Found by name, which replaces it. One call writes the whole definition and resets what it
//! leaves out; tags it takes only while the alarm is new. The alarms that its rule names have to be there before it, and cannot
//! go before it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::types as sdk;
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, ErrorClass};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::cloudwatch::alarm_parts::{
    ActionConfiguration, action_configuration_of, sdk_action_configuration,
};
use crate::resource::cloudwatch::{
    DESCRIBE, MOST_ALARMS, alarm_arn, alarm_attributes, alarm_identified, delete_alarm, describe_alarms, sdk_tag,
    sync_tags, tags_of,
};
use crate::resource::tags::Tags;
use crate::resource::{Attributes, GeneratedName, Handler, Live, Made, Owner, complete_what_is_there};

pub struct CloudWatchCompositeAlarm;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct CompositeAlarm {
    pub alarm_name: Option<String>,
    pub alarm_description: Option<String>,
    /// An expression over other alarms: `ALARM("errors") AND NOT ALARM("deploying")`.
    pub alarm_rule: String,
    pub actions_enabled: bool,
    pub alarm_actions: BTreeSet<String>,
    #[serde(rename = "OKActions")]
    pub ok_actions: BTreeSet<String>,
    pub insufficient_data_actions: BTreeSet<String>,
    pub action_configuration: Option<ActionConfiguration>,
    /// The alarm that keeps the actions from being taken.
    pub actions_suppressor: Option<String>,
    /// Seconds.
    pub actions_suppressor_wait_period: Option<i32>,
    /// Seconds.
    pub actions_suppressor_extension_period: Option<i32>,
    pub tags: Tags,
}

impl Default for CompositeAlarm {
    fn default() -> Self {
        Self {
            alarm_name: None,
            alarm_description: None,
            alarm_rule: String::new(),
            actions_enabled: true,
            alarm_actions: BTreeSet::new(),
            ok_actions: BTreeSet::new(),
            insufficient_data_actions: BTreeSet::new(),
            action_configuration: None,
            actions_suppressor: None,
            actions_suppressor_wait_period: None,
            actions_suppressor_extension_period: None,
            tags: Tags::default(),
        }
    }
}

impl Handler for CloudWatchCompositeAlarm {
    const TYPE: &'static str = "AWS::CloudWatch::CompositeAlarm";
    const FOUND_BY: &'static [&'static str] = &["AlarmName"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("AlarmName", 255));
    const TAGGED_AS: Option<&'static str> = Some("cloudwatch:alarm");
    type Properties = CompositeAlarm;

    fn complete(alarm: &mut CompositeAlarm) {
        alarm.alarm_description.take_if(|text| text.is_empty());
    }

    fn predict(scope: &Scope, alarm: &CompositeAlarm) -> Attributes {
        alarm.alarm_name.as_deref().map(|name| alarm_attributes(scope, name)).unwrap_or_default()
    }

    async fn find(cx: &Context, _owner: &Owner, alarm: &CompositeAlarm) -> Result<Option<PhysicalId>, AwsError> {
        let name = alarm.alarm_name.as_deref().unwrap_or_default();
        Ok(described(cx, name).await?.map(|_| PhysicalId::from(name)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<CompositeAlarm>>, AwsError> {
        let Some(described) = described(cx, id.as_str()).await? else { return Ok(None) };
        let tags = tags_of(cx, &alarm_arn(&cx.scope, id.as_str())).await?;
        let alarm = CompositeAlarm { tags, ..alarm_of(described) };
        Ok(Some(Live::tagged(alarm, alarm_attributes(&cx.scope, id.as_str()))))
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        alarm: &CompositeAlarm,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let name = alarm.alarm_name.as_deref().unwrap_or_default();
        let id = PhysicalId::from(name);
        match left {
            None => put(cx, alarm).await?,
            Some(id) => complete_what_is_there::<Self>(cx, owner, &id, alarm).await?,
        }
        cx.until(DESCRIBE, "the new alarm to show", Patience::seconds(60), || described(cx, name)).await?;
        Ok(Made { attributes: alarm_attributes(&cx.scope, name), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        alarm: &CompositeAlarm,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        if changes.touch_other_than("Tags") {
            put(cx, alarm).await?;
        }
        if changes.touch("Tags") {
            sync_tags(cx, &alarm_arn(&cx.scope, id.as_str()), &alarm.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        delete_alarm(cx, id.as_str()).await?;
        cx.until(DESCRIBE, "the alarm to be gone", Patience::seconds(60), || async {
            Ok(described(cx, id.as_str()).await?.is_none().then_some(()))
        })
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        alarm_identified(cx, arn, &sdk::AlarmType::CompositeAlarm).await
    }
}

async fn described(cx: &Context, name: &str) -> Result<Option<sdk::CompositeAlarm>, AwsError> {
    cx.together(DESCRIBE, CloudWatchCompositeAlarm::TYPE, name, MOST_ALARMS, |names| describe(cx, names)).await
}

/// The composite alarms by name.
async fn describe(cx: &Context, names: Vec<String>) -> Result<BTreeMap<String, sdk::CompositeAlarm>, AwsError> {
    let answer = describe_alarms(cx, names).await?;
    if let Some(alarm) = answer.metric_alarms().first() {
        let name = alarm.alarm_name().unwrap_or_default();
        let message = format!("an alarm on a metric has the name `{name}`: give the composite alarm another one");
        return Err(AwsError::new(DESCRIBE, ErrorClass::AlreadyExists, message));
    }
    let alarms = answer.composite_alarms.unwrap_or_default().into_iter();
    Ok(alarms.filter_map(|alarm| Some((alarm.alarm_name.clone()?, alarm))).collect())
}

async fn put(cx: &Context, alarm: &CompositeAlarm) -> Result<(), AwsError> {
    let list = |actions: &BTreeSet<String>| Some(actions.iter().cloned().collect());
    let put = cx
        .cloudwatch
        .put_composite_alarm()
        .set_alarm_name(alarm.alarm_name.clone())
        .set_alarm_description(alarm.alarm_description.clone())
        .alarm_rule(&alarm.alarm_rule)
        .actions_enabled(alarm.actions_enabled)
        .set_alarm_actions(list(&alarm.alarm_actions))
        .set_ok_actions(list(&alarm.ok_actions))
        .set_insufficient_data_actions(list(&alarm.insufficient_data_actions))
        .set_action_configuration(alarm.action_configuration.as_ref().map(sdk_action_configuration))
        .set_actions_suppressor(alarm.actions_suppressor.clone())
        .set_actions_suppressor_wait_period(alarm.actions_suppressor_wait_period)
        .set_actions_suppressor_extension_period(alarm.actions_suppressor_extension_period)
        .set_tags(Some(alarm.tags.to_sdk(sdk_tag)));
    put.send().await.during("cloudwatch.PutCompositeAlarm").map(drop)
}

/// The alarm in the template's shape, without its tags.
fn alarm_of(live: sdk::CompositeAlarm) -> CompositeAlarm {
    let set = |list: Option<Vec<String>>| list.unwrap_or_default().into_iter().collect();
    CompositeAlarm {
        alarm_name: live.alarm_name,
        alarm_description: live.alarm_description,
        alarm_rule: live.alarm_rule.unwrap_or_default(),
        actions_enabled: live.actions_enabled.unwrap_or(true),
        alarm_actions: set(live.alarm_actions),
        ok_actions: set(live.ok_actions),
        insufficient_data_actions: set(live.insufficient_data_actions),
        action_configuration: live.action_configuration.map(action_configuration_of),
        actions_suppressor: live.actions_suppressor.filter(|alarm| !alarm.is_empty()),
        actions_suppressor_wait_period: live.actions_suppressor_wait_period,
        actions_suppressor_extension_period: live.actions_suppressor_extension_period,
        tags: Tags::default(),
    }
}
