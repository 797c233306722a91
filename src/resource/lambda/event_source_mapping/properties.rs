//! What a template may say of an event source mapping.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::resource::tags::Tags;
use crate::unknown;

/// The template's names and shapes. What the service does when the template is silent is `Default`, and for what depends on
/// the kind of source, `complete`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct EventSourceMapping {
    pub function_name: String,
    pub event_source_arn: Option<String>,
    pub enabled: bool,
    pub batch_size: Option<i32>,
    /// Seconds. Brokers and clusters wait for half a second where nothing is set, which cannot be set again.
    pub maximum_batching_window_in_seconds: Option<i32>,
    pub filter_criteria: Option<FilterCriteria>,
    pub function_response_types: BTreeSet<String>,
    pub kms_key_arn: Option<String>,
    pub metrics_config: Option<MetricsConfig>,
    pub logging_config: Option<LoggingConfig>,
    /// Queues only.
    pub scaling_config: Option<ScalingConfig>,
    pub destination_config: Option<DestinationConfig>,
    pub provisioned_poller_config: Option<ProvisionedPollerConfig>,
    pub parallelization_factor: Option<i32>,
    pub maximum_record_age_in_seconds: Option<i32>,
    pub maximum_retry_attempts: Option<i32>,
    pub bisect_batch_on_function_error: Option<bool>,
    pub tumbling_window_in_seconds: Option<i32>,
    pub starting_position: Option<String>,
    /// Seconds since 1970.
    pub starting_position_timestamp: Option<f64>,
    pub topics: Option<BTreeSet<String>>,
    pub queues: Option<BTreeSet<String>>,
    pub source_access_configurations: BTreeSet<SourceAccessConfiguration>,
    #[serde(rename = "DocumentDBEventSourceConfig")]
    pub document_db_event_source_config: Option<DocumentDbEventSourceConfig>,
    pub tags: Tags,
}

impl Default for EventSourceMapping {
    fn default() -> Self {
        Self {
            function_name: String::new(),
            event_source_arn: None,
            enabled: true,
            batch_size: None,
            maximum_batching_window_in_seconds: None,
            filter_criteria: None,
            function_response_types: BTreeSet::new(),
            kms_key_arn: None,
            metrics_config: None,
            logging_config: None,
            scaling_config: None,
            destination_config: None,
            provisioned_poller_config: None,
            parallelization_factor: None,
            maximum_record_age_in_seconds: None,
            maximum_retry_attempts: None,
            bisect_batch_on_function_error: None,
            tumbling_window_in_seconds: None,
            starting_position: None,
            starting_position_timestamp: None,
            topics: None,
            queues: None,
            source_access_configurations: BTreeSet::new(),
            document_db_event_source_config: None,
            tags: Tags::default(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct FilterCriteria {
    pub filters: BTreeSet<Filter>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Filter {
    pub pattern: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct MetricsConfig {
    pub metrics: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct LoggingConfig {
    pub system_log_level: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct ScalingConfig {
    pub maximum_concurrency: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct DestinationConfig {
    pub on_failure: Option<OnFailure>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct OnFailure {
    pub destination: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct ProvisionedPollerConfig {
    pub minimum_pollers: Option<i32>,
    pub maximum_pollers: Option<i32>,
    pub poller_group_name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct SourceAccessConfiguration {
    #[serde(rename = "Type")]
    pub kind: String,
    #[serde(rename = "URI")]
    pub uri: String,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct DocumentDbEventSourceConfig {
    pub database_name: String,
    pub collection_name: Option<String>,
    pub full_document: Option<String>,
}

/// What a mapping takes events from. It decides which settings there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Queue,
    /// Kinesis and DynamoDB.
    Stream,
    /// Brokers, Kafka, DocumentDB.
    Other,
}

impl Source {
    /// `None` while the source is unknown.
    pub fn of(mapping: &EventSourceMapping) -> Option<Self> {
        let service = mapping.event_source_arn.as_deref()?.split(':').nth(2)?;
        match service {
            "sqs" => Some(Self::Queue),
            "kinesis" | "dynamodb" => Some(Self::Stream),
            service if unknown::is_in(service) => None,
            _ => Some(Self::Other),
        }
    }
}
