//! An event source mapping in the words of Lambda's API, and back.

use aws_sdk_lambda::operation::get_event_source_mapping::GetEventSourceMappingOutput;
use aws_sdk_lambda::types;

use crate::aws::error::{AwsError, ErrorClass};
use crate::resource::lambda::event_source_mapping::GET;
use crate::resource::lambda::event_source_mapping::properties::*;
use crate::resource::tags::Tags;

/// A list that a new mapping is given only where it says something: the kind of source may not know the setting.
pub fn some_of<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}

pub fn filter_criteria(mapping: &EventSourceMapping) -> types::FilterCriteria {
    let filters = mapping.filter_criteria.iter().flat_map(|criteria| &criteria.filters);
    let filters: Vec<_> =
        filters.map(|filter| types::Filter::builder().set_pattern(filter.pattern.clone()).build()).collect();
    types::FilterCriteria::builder().set_filters(some_of(filters)).build()
}

pub fn function_response_types(mapping: &EventSourceMapping) -> Vec<types::FunctionResponseType> {
    mapping.function_response_types.iter().map(|it| it.as_str().into()).collect()
}

pub fn metrics_config(mapping: &EventSourceMapping) -> types::EventSourceMappingMetricsConfig {
    let metrics = mapping.metrics_config.iter().flat_map(|config| &config.metrics);
    let metrics = metrics.map(|metric| metric.as_str().into()).collect();
    types::EventSourceMappingMetricsConfig::builder().set_metrics(Some(metrics)).build()
}

pub fn logging_config(mapping: &EventSourceMapping) -> types::EventSourceMappingLoggingConfig {
    let level = mapping.logging_config.as_ref().and_then(|config| config.system_log_level.as_deref());
    types::EventSourceMappingLoggingConfig::builder().set_system_log_level(level.map(Into::into)).build()
}

pub fn scaling_config(mapping: &EventSourceMapping) -> types::ScalingConfig {
    let maximum = mapping.scaling_config.as_ref().and_then(|config| config.maximum_concurrency);
    types::ScalingConfig::builder().set_maximum_concurrency(maximum).build()
}

pub fn destination_config(mapping: &EventSourceMapping) -> types::DestinationConfig {
    let on_failure = mapping.destination_config.as_ref().and_then(|config| config.on_failure.as_ref());
    let on_failure = on_failure.map(|it| types::OnFailure::builder().set_destination(it.destination.clone()).build());
    types::DestinationConfig::builder().set_on_failure(on_failure).build()
}

pub fn provisioned_poller_config(mapping: &EventSourceMapping) -> types::ProvisionedPollerConfig {
    let config = mapping.provisioned_poller_config.clone().unwrap_or_default();
    types::ProvisionedPollerConfig::builder()
        .set_minimum_pollers(config.minimum_pollers)
        .set_maximum_pollers(config.maximum_pollers)
        .set_poller_group_name(config.poller_group_name)
        .build()
}

pub fn source_access_configurations(mapping: &EventSourceMapping) -> Vec<types::SourceAccessConfiguration> {
    let configuration = |it: &SourceAccessConfiguration| {
        types::SourceAccessConfiguration::builder().r#type(it.kind.as_str().into()).uri(&it.uri).build()
    };
    mapping.source_access_configurations.iter().map(configuration).collect()
}

pub fn document_db_config(mapping: &EventSourceMapping) -> types::DocumentDbEventSourceConfig {
    let config = mapping.document_db_event_source_config.clone().unwrap_or_default();
    types::DocumentDbEventSourceConfig::builder()
        .database_name(config.database_name)
        .set_collection_name(config.collection_name)
        .set_full_document(config.full_document.as_deref().map(Into::into))
        .build()
}

pub fn live(it: GetEventSourceMappingOutput, tags: Tags) -> Result<EventSourceMapping, AwsError> {
    if let Some(error) = &it.filter_criteria_error {
        let message = format!("the filter criteria cannot be read: {}", error.message.as_deref().unwrap_or_default());
        return Err(AwsError::new(GET, ErrorClass::Denied, message));
    }
    let text = |it: &str| it.to_owned();
    let mapping = EventSourceMapping {
        function_name: it.function_arn.ok_or_else(|| AwsError::missing(GET, "FunctionArn"))?,
        event_source_arn: it.event_source_arn,
        enabled: !matches!(it.state.as_deref(), Some("Disabled" | "Disabling")),
        batch_size: it.batch_size,
        maximum_batching_window_in_seconds: it.maximum_batching_window_in_seconds,
        filter_criteria: it.filter_criteria.and_then(|it| it.filters).map(|filters| FilterCriteria {
            filters: filters.into_iter().map(|filter| Filter { pattern: filter.pattern }).collect(),
        }),
        function_response_types: it
            .function_response_types
            .unwrap_or_default()
            .iter()
            .map(|it| text(it.as_str()))
            .collect(),
        kms_key_arn: it.kms_key_arn,
        metrics_config: it
            .metrics_config
            .and_then(|it| it.metrics)
            .map(|metrics| MetricsConfig { metrics: metrics.iter().map(|metric| text(metric.as_str())).collect() }),
        logging_config: it
            .logging_config
            .map(|it| LoggingConfig { system_log_level: it.system_log_level.map(|level| text(level.as_str())) }),
        scaling_config: it.scaling_config.map(|it| ScalingConfig { maximum_concurrency: it.maximum_concurrency }),
        destination_config: it.destination_config.map(|it| DestinationConfig {
            on_failure: it.on_failure.map(|it| OnFailure { destination: it.destination }),
        }),
        provisioned_poller_config: it.provisioned_poller_config.map(|it| ProvisionedPollerConfig {
            minimum_pollers: it.minimum_pollers,
            maximum_pollers: it.maximum_pollers,
            poller_group_name: it.poller_group_name,
        }),
        parallelization_factor: it.parallelization_factor,
        maximum_record_age_in_seconds: it.maximum_record_age_in_seconds,
        maximum_retry_attempts: it.maximum_retry_attempts,
        bisect_batch_on_function_error: it.bisect_batch_on_function_error,
        tumbling_window_in_seconds: it.tumbling_window_in_seconds,
        starting_position: it.starting_position.map(|position| text(position.as_str())),
        starting_position_timestamp: it.starting_position_timestamp.map(|time| time.as_secs_f64()),
        topics: it.topics.filter(|topics| !topics.is_empty()).map(|topics| topics.into_iter().collect()),
        queues: it.queues.filter(|queues| !queues.is_empty()).map(|queues| queues.into_iter().collect()),
        source_access_configurations: it
            .source_access_configurations
            .unwrap_or_default()
            .into_iter()
            .map(|it| SourceAccessConfiguration {
                kind: it.r#type.map(|kind| text(kind.as_str())).unwrap_or_default(),
                uri: it.uri.unwrap_or_default(),
            })
            .collect(),
        document_db_event_source_config: it.document_db_event_source_config.map(|it| DocumentDbEventSourceConfig {
            database_name: it.database_name.unwrap_or_default(),
            collection_name: it.collection_name,
            full_document: it.full_document.map(|it| text(it.as_str())),
        }),
        tags,
    };
    Ok(mapping)
}
