//! `AWS::Lambda::EventInvokeConfig`: what becomes of asynchronous calls that fail. Found by function and qualifier, which replace
//! it. It cannot carry a mark, and goes with its function. One call writes it whole.

use aws_sdk_lambda::types::{DestinationConfig as SdkDestinations, OnFailure, OnSuccess};
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, ErrorClass, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::lambda::function_name;
use crate::resource::lambda::passing::is_busy;
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct LambdaEventInvokeConfig;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct EventInvokeConfig {
    pub function_name: String,
    /// A version, an alias, or `$LATEST`.
    pub qualifier: String,
    pub destination_config: Option<DestinationConfig>,
    /// Seconds; without it six hours.
    pub maximum_event_age_in_seconds: Option<i32>,
    /// Without it two.
    pub maximum_retry_attempts: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct DestinationConfig {
    pub on_failure: Option<Destination>,
    pub on_success: Option<Destination>,
}

/// The ARN of a queue, a topic, a function, a bucket or an event bus.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Destination {
    pub destination: Option<String>,
}

impl Handler for LambdaEventInvokeConfig {
    const TYPE: &'static str = "AWS::Lambda::EventInvokeConfig";
    const FOUND_BY: &'static [&'static str] = &["FunctionName", "Qualifier"];
    const PART_OF: &'static [&'static str] = &["FunctionName"];
    const WITHIN: Option<&'static str> = Some("AWS::Lambda::Function");
    type Properties = EventInvokeConfig;

    fn complete(config: &mut EventInvokeConfig) {
        config.function_name = function_name::short(&config.function_name);
        if let Some(destinations) = &mut config.destination_config {
            let is_nowhere = |it: &mut Destination| it.destination.as_deref().unwrap_or_default().is_empty();
            destinations.on_failure.take_if(is_nowhere);
            destinations.on_success.take_if(is_nowhere);
        }
        config.destination_config.take_if(|it| *it == DestinationConfig::default());
    }

    fn predict(_scope: &Scope, config: &EventInvokeConfig) -> Attributes {
        referred(id_of(config).as_str(), [])
    }

    async fn find(cx: &Context, _owner: &Owner, config: &EventInvokeConfig) -> Result<Option<PhysicalId>, AwsError> {
        let id = id_of(config);
        Ok(Self::read(cx, &id).await?.map(|_| id))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<EventInvokeConfig>>, AwsError> {
        let [function, qualifier] = parts(id)?;
        let get = cx.lambda.get_function_event_invoke_config().function_name(function).qualifier(qualifier);
        let Some(answer) = found(GET, get.send().await)? else { return Ok(None) };
        let destinations = answer.destination_config.map(|config| DestinationConfig {
            on_failure: config.on_failure.map(|it| Destination { destination: it.destination }),
            on_success: config.on_success.map(|it| Destination { destination: it.destination }),
        });
        let config = EventInvokeConfig {
            function_name: function.to_owned(),
            qualifier: qualifier.to_owned(),
            destination_config: destinations,
            maximum_event_age_in_seconds: answer.maximum_event_age_in_seconds,
            maximum_retry_attempts: answer.maximum_retry_attempts,
        };
        Ok(Some(Live::unmarkable(config, referred(id.as_str(), []))))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        config: &EventInvokeConfig,
        _left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        put(cx, config).await?;
        let id = id_of(config);
        Ok(Made { attributes: referred(id.as_str(), []), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        config: &EventInvokeConfig,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        put(cx, config).await?;
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [function, qualifier] = parts(id)?;
        let delete = cx.lambda.delete_function_event_invoke_config().function_name(function).qualifier(qualifier);
        let deleted = cx.while_passing(Patience::seconds(120), is_busy, || async {
            delete.clone().send().await.during("lambda.DeleteFunctionEventInvokeConfig")
        });
        gone_is_fine(deleted.await)
    }

    async fn list_within(cx: &Context, function: &PhysicalId) -> Result<Vec<PhysicalId>, AwsError> {
        let list = cx.lambda.list_function_event_invoke_configs().function_name(function.as_str());
        let configs: Result<Vec<_>, _> = list.into_paginator().items().send().collect().await;
        let configs = found("lambda.ListFunctionEventInvokeConfigs", configs)?.unwrap_or_default();
        let arns = configs.into_iter().filter_map(|config| config.function_arn);
        Ok(arns
            .filter_map(|arn| {
                let short = function_name::short(&arn);
                let (name, qualifier) = short.split_once(':')?;
                Some(PhysicalId::join([name, qualifier]))
            })
            .collect())
    }
}

const GET: &str = "lambda.GetFunctionEventInvokeConfig";

async fn put(cx: &Context, config: &EventInvokeConfig) -> Result<(), AwsError> {
    let destinations = config.destination_config.clone().unwrap_or_default();
    let on_failure = destinations.on_failure.and_then(|it| it.destination);
    let on_success = destinations.on_success.and_then(|it| it.destination);
    let destinations = SdkDestinations::builder()
        .set_on_failure(on_failure.map(|arn| OnFailure::builder().destination(arn).build()))
        .set_on_success(on_success.map(|arn| OnSuccess::builder().destination(arn).build()));
    let put = cx
        .lambda
        .put_function_event_invoke_config()
        .function_name(&config.function_name)
        .qualifier(&config.qualifier)
        .set_destination_config(config.destination_config.as_ref().map(|_| destinations.build()))
        .set_maximum_event_age_in_seconds(config.maximum_event_age_in_seconds)
        .set_maximum_retry_attempts(config.maximum_retry_attempts);
    // What the function's role may do is seen late, and so is a destination that was made a moment ago.
    let passes = |error: &AwsError| {
        is_busy(error)
            || error.says("InvalidParameterValueException", "does not have permissions")
            || error.says("InvalidParameterValueException", "is invalid")
    };
    cx.while_passing(Patience::seconds(120), passes, || async {
        put.clone().send().await.during("lambda.PutFunctionEventInvokeConfig")
    })
    .await
    .map(drop)
}

fn id_of(config: &EventInvokeConfig) -> PhysicalId {
    PhysicalId::join([config.function_name.as_str(), &config.qualifier])
}

fn parts(id: &PhysicalId) -> Result<[&str; 2], AwsError> {
    id.parts().ok_or_else(|| {
        AwsError::new(GET, ErrorClass::Invalid, format!("`{id}` is no identifier of the form `function|qualifier`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_that_lead_nowhere_are_none() {
        let mut config = EventInvokeConfig {
            function_name: "arn:aws:lambda:us-east-1:123456789012:function:orders".to_owned(),
            destination_config: Some(DestinationConfig {
                on_failure: Some(Destination::default()),
                on_success: Some(Destination::default()),
            }),
            ..EventInvokeConfig::default()
        };
        LambdaEventInvokeConfig::complete(&mut config);
        assert_eq!(config.destination_config, None);
        assert_eq!(config.function_name, "orders");
    }
}
