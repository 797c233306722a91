//! `AWS::Lambda::EventSourceMapping`. Found by its source and function, or by its source and the owner in its tags. The source
//! and where to start in it replace it.
//!
//! A mapping takes up to a minute to come, to change and to go, and refuses every change meanwhile. It outlives its function.
//! For queues and streams everything is handled; for brokers and clusters what a mapping needs to run, but no schema
//! registries, consumer groups and clusters outside of AWS.

mod properties;
mod translation;

use aws_sdk_lambda::operation::get_event_source_mapping::GetEventSourceMappingOutput;
use aws_sdk_lambda::primitives::DateTime;
use aws_sdk_lambda::types::{self, EventSourceMappingConfiguration};
use futures::future::try_join;

use crate::aws::error::{AwsError, During, ErrorClass, absent_is_none, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::lambda::passing::{already_exists, is_in_use, is_stale_queue, while_propagating};
use crate::resource::lambda::{function_name, tagging};
use crate::resource::tags::Tags;
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub use properties::EventSourceMapping;
use properties::*;
use translation::*;

pub struct LambdaEventSourceMapping;

const FOREVER: i32 = -1;

impl Handler for LambdaEventSourceMapping {
    const TYPE: &'static str = "AWS::Lambda::EventSourceMapping";
    const FOUND_BY: &'static [&'static str] = &["FunctionName", "EventSourceArn"];
    /// Lambda has no call that changes these.
    const ALSO_CREATE_ONLY: &'static [&'static str] = &["Queues", "Topics"];
    const TAGGED_AS: Option<&'static str> = Some("lambda:event-source-mapping");
    const REFUSED: &'static [(&'static str, &'static str)] = &[
        (
            "AmazonManagedKafkaEventSourceConfig",
            "consumer groups and schema registries are not handled: without it Lambda makes up a consumer group",
        ),
        ("SelfManagedEventSource", "Kafka outside of AWS is not handled: use Amazon MSK, with `EventSourceArn`"),
        (
            "SelfManagedKafkaEventSourceConfig",
            "Kafka outside of AWS is not handled: use Amazon MSK, with `EventSourceArn`",
        ),
    ];
    type Properties = EventSourceMapping;

    fn complete(mapping: &mut EventSourceMapping) {
        mapping.function_name = function_name::short(&mapping.function_name);
        mapping.kms_key_arn.take_if(|arn| arn.is_empty());
        mapping.filter_criteria.take_if(|criteria| criteria.filters.is_empty());
        mapping.metrics_config.take_if(|config| config.metrics.is_empty());
        mapping.logging_config.take_if(|config| *config == LoggingConfig::default());
        mapping.scaling_config.take_if(|config| *config == ScalingConfig::default());
        mapping.provisioned_poller_config.take_if(|config| *config == ProvisionedPollerConfig::default());
        let destination =
            mapping.destination_config.as_ref().and_then(|config| config.on_failure.as_ref()?.destination.as_ref());
        if destination.is_none_or(|destination| destination.is_empty()) {
            mapping.destination_config = None;
        }
        let Some(source) = Source::of(mapping) else { return };
        let usual_size = if source == Source::Queue { 10 } else { 100 };
        mapping.batch_size.get_or_insert(usual_size);
        match source {
            Source::Queue | Source::Stream => mapping.maximum_batching_window_in_seconds.get_or_insert(0),
            Source::Other => &mut 0,
        };
        // What only streams have is left out elsewhere, where an answer may carry it or not.
        if source == Source::Stream {
            mapping.parallelization_factor.get_or_insert(1);
            mapping.maximum_record_age_in_seconds.get_or_insert(FOREVER);
            mapping.maximum_retry_attempts.get_or_insert(FOREVER);
            mapping.bisect_batch_on_function_error.get_or_insert(false);
            mapping.tumbling_window_in_seconds.get_or_insert(0);
        } else {
            mapping.parallelization_factor.take_if(|factor| *factor == 1);
            mapping.maximum_record_age_in_seconds.take_if(|seconds| *seconds == FOREVER);
            mapping.maximum_retry_attempts.take_if(|attempts| *attempts == FOREVER);
            mapping.bisect_batch_on_function_error.take_if(|bisect| !*bisect);
            mapping.tumbling_window_in_seconds.take_if(|seconds| *seconds == 0);
        }
    }

    /// A mapping's id is Lambda's to give.
    fn predict(_scope: &Scope, _mapping: &EventSourceMapping) -> Attributes {
        Attributes::new()
    }

    /// The mapping of this function and source; else the one of this source that carries the owner's tags, whose function the
    /// template has changed.
    async fn find(cx: &Context, owner: &Owner, mapping: &EventSourceMapping) -> Result<Option<PhysicalId>, AwsError> {
        let mappings = mappings_of(cx, mapping.event_source_arn.as_deref()).await?;
        let is_of = |it: &&EventSourceMappingConfiguration| {
            it.function_arn.as_deref().map(function_name::short).as_ref() == Some(&mapping.function_name)
        };
        if let Some(uuid) = mappings.iter().find(is_of).and_then(|it| it.uuid.as_deref()) {
            return Ok(Some(PhysicalId::from(uuid)));
        }
        for uuid in mappings.iter().filter_map(|it| it.uuid.as_deref()) {
            if tags_of(cx, uuid).await?.and_then(|tags| tags.owner()).as_ref() == Some(owner) {
                return Ok(Some(PhysicalId::from(uuid)));
            }
        }
        Ok(None)
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<EventSourceMapping>>, AwsError> {
        let uuid = id.as_str();
        let (answer, tags) = try_join(get(cx, uuid), tags_of(cx, uuid)).await?;
        let answer = answer.filter(|answer| !is_going(answer.state.as_deref()));
        let (Some(answer), Some(tags)) = (answer, tags) else { return Ok(None) };
        let attributes = attributes_of(&cx.scope, uuid);
        Ok(Some(Live::tagged(live(answer, tags)?, attributes)))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        mapping: &EventSourceMapping,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let uuid = match left {
            Some(id) => id.as_str().to_owned(),
            None => make(cx, mapping).await?,
        };
        settled(cx, &uuid).await?;
        Ok(Made { attributes: attributes_of(&cx.scope, &uuid), id: PhysicalId::from(uuid) })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        mapping: &EventSourceMapping,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        check_window(mapping, changes)?;
        let uuid = id.as_str();
        if changes.touch_other_than("Tags") {
            settled(cx, uuid).await?;
            change(cx, uuid, mapping, changes).await?;
            settled(cx, uuid).await?;
        }
        if changes.touch("Tags") {
            tagging::sync(cx, &arn_of(&cx.scope, uuid), &mapping.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let delete = cx.lambda.delete_event_source_mapping().uuid(id.as_str());
        let deleted = cx.while_passing(Patience::minutes(300), is_in_use, || async {
            delete.clone().send().await.during("lambda.DeleteEventSourceMapping")
        });
        gone_is_fine(deleted.await)?;
        cx.until(GET, "the event source mapping to be gone", Patience::seconds(600), || async {
            Ok(get(cx, id.as_str()).await?.is_none().then_some(()))
        })
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        Ok(arn.strip_prefix(&arn_of(&cx.scope, "")).map(PhysicalId::from))
    }
}

const GET: &str = "lambda.GetEventSourceMapping";
const CREATE: &str = "lambda.CreateEventSourceMapping";
const UPDATE: &str = "lambda.UpdateEventSourceMapping";

fn arn_of(scope: &Scope, uuid: &str) -> String {
    scope.arn("lambda", &format!("event-source-mapping:{uuid}"))
}

fn attributes_of(scope: &Scope, uuid: &str) -> Attributes {
    referred(uuid, [("EventSourceMappingArn", arn_of(scope, uuid)), ("Id", uuid.to_owned())])
}

async fn get(cx: &Context, uuid: &str) -> Result<Option<GetEventSourceMappingOutput>, AwsError> {
    found(GET, cx.lambda.get_event_source_mapping().uuid(uuid).send().await)
}

async fn tags_of(cx: &Context, uuid: &str) -> Result<Option<Tags>, AwsError> {
    tagging::read(cx, &arn_of(&cx.scope, uuid)).await
}

/// The mappings of a source that are not on their way out.
async fn mappings_of(
    cx: &Context,
    event_source_arn: Option<&str>,
) -> Result<Vec<EventSourceMappingConfiguration>, AwsError> {
    let Some(event_source_arn) = event_source_arn else { return Ok(Vec::new()) };
    let list = cx.lambda.list_event_source_mappings().event_source_arn(event_source_arn);
    let answer: Result<Vec<_>, _> = list.into_paginator().items().send().collect().await;
    let mut mappings = absent_is_none(answer.during("lambda.ListEventSourceMappings"))?.unwrap_or_default();
    mappings.retain(|mapping| !is_going(mapping.state.as_deref()));
    Ok(mappings)
}

fn is_going(state: Option<&str>) -> bool {
    state == Some("Deleting")
}

/// Waits until the mapping takes changes. One that was just made may not be seen at once.
async fn settled(cx: &Context, uuid: &str) -> Result<(), AwsError> {
    cx.until(GET, "the event source mapping to be ready", Patience::seconds(600), || async {
        let state = get(cx, uuid).await?.and_then(|answer| answer.state);
        Ok(matches!(state.as_deref(), Some("Enabled" | "Disabled")).then_some(()))
    })
    .await
}

/// Makes the mapping. A role's policies and a queue's settings may be too young to be seen, and a mapping of the same function
/// and source may still be on its way out.
async fn make(cx: &Context, mapping: &EventSourceMapping) -> Result<String, AwsError> {
    let create = cx
        .lambda
        .create_event_source_mapping()
        .function_name(&mapping.function_name)
        .set_event_source_arn(mapping.event_source_arn.clone())
        .enabled(mapping.enabled)
        .set_batch_size(mapping.batch_size)
        .set_maximum_batching_window_in_seconds(mapping.maximum_batching_window_in_seconds)
        .set_filter_criteria(mapping.filter_criteria.is_some().then(|| filter_criteria(mapping)))
        .set_function_response_types(some_of(function_response_types(mapping)))
        .set_kms_key_arn(mapping.kms_key_arn.clone())
        .set_metrics_config(mapping.metrics_config.is_some().then(|| metrics_config(mapping)))
        .set_logging_config(mapping.logging_config.is_some().then(|| logging_config(mapping)))
        .set_scaling_config(mapping.scaling_config.is_some().then(|| scaling_config(mapping)))
        .set_destination_config(mapping.destination_config.is_some().then(|| destination_config(mapping)))
        .set_provisioned_poller_config(
            mapping.provisioned_poller_config.is_some().then(|| provisioned_poller_config(mapping)),
        )
        .set_parallelization_factor(mapping.parallelization_factor)
        .set_maximum_record_age_in_seconds(mapping.maximum_record_age_in_seconds)
        .set_maximum_retry_attempts(mapping.maximum_retry_attempts)
        .set_bisect_batch_on_function_error(mapping.bisect_batch_on_function_error)
        .set_tumbling_window_in_seconds(mapping.tumbling_window_in_seconds)
        .set_starting_position(mapping.starting_position.as_deref().map(types::EventSourcePosition::from))
        .set_starting_position_timestamp(mapping.starting_position_timestamp.map(DateTime::from_secs_f64))
        .set_topics(mapping.topics.as_ref().map(|topics| topics.iter().cloned().collect()))
        .set_queues(mapping.queues.as_ref().map(|queues| queues.iter().cloned().collect()))
        .set_source_access_configurations(some_of(source_access_configurations(mapping)))
        .set_document_db_event_source_config(
            mapping.document_db_event_source_config.is_some().then(|| document_db_config(mapping)),
        )
        .set_tags(Some(mapping.tags.to_map()));
    cx.while_passing(
        Patience::minutes(600),
        |error| error.class == ErrorClass::Conflict && error.message.ends_with(STILL_GOING),
        || {
            cx.while_passing(Patience::seconds(90), is_stale_queue, || {
                while_propagating(cx, || async {
                    match create.clone().send().await.during(CREATE) {
                        Ok(answer) => answer.uuid.ok_or_else(|| AwsError::missing(CREATE, "UUID")),
                        Err(error) if already_exists(&error) => Err(still_going(cx, error).await?),
                        Err(error) => Err(error),
                    }
                })
            })
        },
    )
    .await
}

const STILL_GOING: &str = "is still being deleted";

/// The conflict, or that the mapping in the way is on its way out.
async fn still_going(cx: &Context, conflict: AwsError) -> Result<AwsError, AwsError> {
    let Some(uuid) = uuid_in(&conflict.message) else { return Ok(conflict) };
    let state = get(cx, uuid).await?.map(|answer| answer.state);
    if state.is_none_or(|state| is_going(state.as_deref())) {
        let message = format!("the event source mapping {uuid} {STILL_GOING}");
        return Ok(AwsError::new(CREATE, ErrorClass::Conflict, message));
    }
    Ok(conflict)
}

/// The id at the end of "… Please update or delete the existing mapping with UUID …".
fn uuid_in(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("UUID ")?;
    let is_part = |letter: char| letter.is_ascii_hexdigit() || letter == '-';
    let uuid = rest.split(|letter| !is_part(letter)).next()?;
    (uuid.len() == 36).then_some(uuid)
}

/// Refuses what Lambda cannot put back: half a second, where a window of whole seconds has been set.
fn check_window(mapping: &EventSourceMapping, changes: &Changes) -> Result<(), AwsError> {
    if changes.touch("MaximumBatchingWindowInSeconds") && mapping.maximum_batching_window_in_seconds.is_none() {
        let message = "a batching window that has been set cannot be taken away from a mapping of this source: set \
                       `MaximumBatchingWindowInSeconds`, or have the mapping made anew with `--replace`";
        return Err(AwsError::new(UPDATE, ErrorClass::Invalid, message));
    }
    Ok(())
}

/// Sends what changes. What the template leaves out is sent with the value that resets it: what is not sent stays.
async fn change(cx: &Context, uuid: &str, mapping: &EventSourceMapping, changes: &Changes) -> Result<(), AwsError> {
    let touched = |property: &str| changes.touch(property).then_some(mapping);
    let update = cx
        .lambda
        .update_event_source_mapping()
        .uuid(uuid)
        .set_function_name(touched("FunctionName").map(|it| it.function_name.clone()))
        .set_enabled(touched("Enabled").map(|it| it.enabled))
        .set_batch_size(touched("BatchSize").and_then(|it| it.batch_size))
        .set_maximum_batching_window_in_seconds(
            touched("MaximumBatchingWindowInSeconds").and_then(|it| it.maximum_batching_window_in_seconds),
        )
        .set_filter_criteria(touched("FilterCriteria").map(filter_criteria))
        .set_function_response_types(touched("FunctionResponseTypes").map(function_response_types))
        .set_kms_key_arn(touched("KmsKeyArn").map(|it| it.kms_key_arn.clone().unwrap_or_default()))
        .set_metrics_config(touched("MetricsConfig").map(metrics_config))
        .set_logging_config(touched("LoggingConfig").map(logging_config))
        .set_scaling_config(touched("ScalingConfig").map(scaling_config))
        .set_destination_config(touched("DestinationConfig").map(destination_config))
        .set_provisioned_poller_config(touched("ProvisionedPollerConfig").map(provisioned_poller_config))
        .set_parallelization_factor(touched("ParallelizationFactor").map(|it| it.parallelization_factor.unwrap_or(1)))
        .set_maximum_record_age_in_seconds(
            touched("MaximumRecordAgeInSeconds").map(|it| it.maximum_record_age_in_seconds.unwrap_or(FOREVER)),
        )
        .set_maximum_retry_attempts(
            touched("MaximumRetryAttempts").map(|it| it.maximum_retry_attempts.unwrap_or(FOREVER)),
        )
        .set_bisect_batch_on_function_error(
            touched("BisectBatchOnFunctionError").map(|it| it.bisect_batch_on_function_error.unwrap_or_default()),
        )
        .set_tumbling_window_in_seconds(
            touched("TumblingWindowInSeconds").map(|it| it.tumbling_window_in_seconds.unwrap_or_default()),
        )
        .set_source_access_configurations(touched("SourceAccessConfigurations").map(source_access_configurations))
        .set_document_db_event_source_config(touched("DocumentDBEventSourceConfig").map(document_db_config));
    cx.while_passing(Patience::minutes(600), is_in_use, || {
        cx.while_passing(Patience::seconds(90), is_stale_queue, || {
            while_propagating(cx, || async { update.clone().send().await.during(UPDATE) })
        })
    })
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn completed(properties: Value) -> EventSourceMapping {
        let mut mapping: EventSourceMapping = serde_json::from_value(properties).unwrap();
        LambdaEventSourceMapping::complete(&mut mapping);
        mapping
    }

    #[test]
    fn what_nobody_set_depends_on_the_kind_of_source() {
        let queue = completed(json!({"EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:orders"}));
        assert_eq!((queue.batch_size, queue.maximum_record_age_in_seconds), (Some(10), None));
        let stream = completed(json!({"EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/orders"}));
        assert_eq!((stream.batch_size, stream.maximum_record_age_in_seconds), (Some(100), Some(FOREVER)));
        let unknown = completed(json!({"EventSourceArn": "\u{1}Table.StreamArn\u{1}"}));
        assert_eq!(unknown.batch_size, None);
    }

    #[test]
    fn a_mapping_of_a_stream_that_says_nothing_reads_back_as_such() {
        let stream = "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-11-22T00:00:00.000";
        let answer = GetEventSourceMappingOutput::builder()
            .function_arn("arn:aws:lambda:us-east-1:123456789012:function:orders")
            .event_source_arn(stream)
            .state("Enabled")
            .starting_position(types::EventSourcePosition::Latest)
            .batch_size(100)
            .maximum_batching_window_in_seconds(0)
            .parallelization_factor(1)
            .maximum_record_age_in_seconds(-1)
            .maximum_retry_attempts(-1)
            .bisect_batch_on_function_error(false)
            .tumbling_window_in_seconds(0)
            .set_function_response_types(Some(Vec::new()))
            .destination_config(
                types::DestinationConfig::builder().on_failure(types::OnFailure::builder().build()).build(),
            )
            .build();
        let mut shown = live(answer, Tags::default()).unwrap();
        LambdaEventSourceMapping::complete(&mut shown);
        let declared = json!({"FunctionName": "orders", "EventSourceArn": stream, "StartingPosition": "LATEST"});
        assert_eq!(shown, completed(declared));
    }

    #[test]
    fn an_empty_setting_is_none() {
        let empty =
            json!({"DestinationConfig": {"OnFailure": {}}, "ScalingConfig": {}, "FilterCriteria": {"Filters": []}});
        assert_eq!(completed(empty), completed(json!({})));
    }

    #[test]
    fn the_mapping_that_is_in_the_way_is_read_from_the_refusal() {
        let refusal = r#"An event source mapping with SQS arn ("arn:aws:sqs:us-east-1:1:q") and function ("f") already exists. Please update or delete the existing mapping with UUID 0d5f6c1e-8d1b-4f6a-9a3e-2f1d4c5b6a79"#;
        assert_eq!(uuid_in(refusal), Some("0d5f6c1e-8d1b-4f6a-9a3e-2f1d4c5b6a79"));
        assert_eq!(uuid_in("no id"), None);
    }

    #[test]
    fn a_window_that_lambda_cannot_take_away_is_refused_with_the_way_out() {
        let live = json!({"MaximumBatchingWindowInSeconds": 5});
        let mapping = completed(json!({"EventSourceArn": "arn:aws:mq:us-east-1:123456789012:broker:orders:b-1"}));
        let error = check_window(&mapping, &Changes::between(&live, &json!({}))).unwrap_err();
        assert!(error.message.contains("`--replace`"), "{}", error.message);
    }
}
