//! What a template may say of a function.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::resource::lambda::upload::Zip;
use crate::resource::tags::Tags;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Function {
    pub function_name: Option<String>,
    pub package_type: PackageType,
    pub code: Zip,
    pub runtime: Option<String>,
    pub handler: Option<String>,
    pub role: String,
    pub description: String,
    /// Seconds.
    pub timeout: i32,
    /// Megabytes.
    pub memory_size: i32,
    pub architectures: Vec<String>,
    pub environment: Environment,
    /// In the order in which they are unpacked.
    pub layers: Vec<String>,
    pub tracing_config: TracingConfig,
    pub dead_letter_config: Option<DeadLetterConfig>,
    pub vpc_config: VpcConfig,
    pub kms_key_arn: Option<String>,
    pub ephemeral_storage: EphemeralStorage,
    pub snap_start: SnapStart,
    pub logging_config: LoggingConfig,
    pub reserved_concurrent_executions: Option<i32>,
    pub runtime_management_config: RuntimeManagementConfig,
    pub recursive_loop: String,
    pub file_system_configs: Vec<FileSystemConfig>,
    pub code_signing_config_arn: Option<String>,
    pub tenancy_config: Option<TenancyConfig>,
    pub durable_config: Option<DurableConfig>,
    pub tags: Tags,
}

impl Default for Function {
    fn default() -> Self {
        Self {
            function_name: None,
            package_type: PackageType::Zip,
            code: Zip::default(),
            runtime: None,
            handler: None,
            role: String::new(),
            description: String::new(),
            timeout: 3,
            memory_size: 128,
            architectures: vec!["x86_64".to_owned()],
            environment: Environment::default(),
            layers: Vec::new(),
            tracing_config: TracingConfig::default(),
            dead_letter_config: None,
            vpc_config: VpcConfig::default(),
            kms_key_arn: None,
            ephemeral_storage: EphemeralStorage::default(),
            snap_start: SnapStart::default(),
            logging_config: LoggingConfig::default(),
            reserved_concurrent_executions: None,
            runtime_management_config: RuntimeManagementConfig::default(),
            recursive_loop: "Terminate".to_owned(),
            file_system_configs: Vec::new(),
            code_signing_config_arn: None,
            tenancy_config: None,
            durable_config: None,
            tags: Tags::default(),
        }
    }
}

/// How the code comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub enum PackageType {
    #[default]
    Zip,
}

impl TryFrom<String> for PackageType {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "Zip" => Ok(Self::Zip),
            other => Err(format!(
                "`PackageType` is `{other}`, and functions are packaged as `Zip` only: point `Code` to the code's directory"
            )),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Environment {
    pub variables: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct TracingConfig {
    pub mode: String,
}

impl Default for TracingConfig {
    fn default() -> Self {
        Self { mode: "PassThrough".to_owned() }
    }
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct DeadLetterConfig {
    pub target_arn: String,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct VpcConfig {
    pub subnet_ids: BTreeSet<String>,
    pub security_group_ids: BTreeSet<String>,
    pub ipv6_allowed_for_dual_stack: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct EphemeralStorage {
    /// Megabytes.
    pub size: i32,
}

impl Default for EphemeralStorage {
    fn default() -> Self {
        Self { size: 512 }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct SnapStart {
    pub apply_on: String,
}

impl Default for SnapStart {
    fn default() -> Self {
        Self { apply_on: "None".to_owned() }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct LoggingConfig {
    pub log_format: String,
    /// Only for logs in JSON.
    pub application_log_level: Option<String>,
    /// Only for logs in JSON.
    pub system_log_level: Option<String>,
    pub log_group: Option<String>,
}

impl Default for LoggingConfig {
    fn default() -> Self {
        Self { log_format: "Text".to_owned(), application_log_level: None, system_log_level: None, log_group: None }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct RuntimeManagementConfig {
    pub update_runtime_on: String,
    pub runtime_version_arn: Option<String>,
}

impl Default for RuntimeManagementConfig {
    fn default() -> Self {
        Self { update_runtime_on: "Auto".to_owned(), runtime_version_arn: None }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct FileSystemConfig {
    pub arn: String,
    pub local_mount_path: String,
    #[serde(default)]
    pub s3_files_config: Option<S3FilesConfig>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct S3FilesConfig {
    #[serde(rename = "DirectS3Read")]
    pub direct_s3_read: String,
}

impl Default for S3FilesConfig {
    fn default() -> Self {
        Self { direct_s3_read: "AUTO".to_owned() }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct TenancyConfig {
    pub tenant_isolation_mode: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DurableConfig {
    /// Seconds.
    pub execution_timeout: i32,
    #[serde(default = "retention_days")]
    pub retention_period_in_days: i32,
    #[serde(rename = "KMSKeyArn", default)]
    pub kms_key_arn: Option<String>,
}

/// For how long Lambda remembers a durable execution where nothing is said of it.
pub const RETENTION_DAYS: i32 = 14;

fn retention_days() -> i32 {
    RETENTION_DAYS
}
