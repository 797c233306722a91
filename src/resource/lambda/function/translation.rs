//! A function in the words of Lambda's API, and back.

use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types;

use crate::aws::error::{AwsError, ErrorClass};
use crate::resource::Live;
use crate::resource::lambda::function::properties::*;
use crate::resource::lambda::function::{attributes_of, invalid};
use crate::resource::lambda::upload::Zip;

pub fn architectures(function: &Function) -> Vec<types::Architecture> {
    function.architectures.iter().map(|name| types::Architecture::from(name.as_str())).collect()
}

/// An environment without `Variables` would keep the ones that are there.
pub fn environment(function: &Function) -> types::Environment {
    let variables = function.environment.variables.clone().into_iter().collect();
    types::Environment::builder().set_variables(Some(variables)).build()
}

pub fn tracing_config(function: &Function) -> types::TracingConfig {
    types::TracingConfig::builder().mode(function.tracing_config.mode.as_str().into()).build()
}

pub fn dead_letter_config(function: &Function) -> types::DeadLetterConfig {
    let target_arn = function.dead_letter_config.as_ref().map(|config| config.target_arn.clone());
    types::DeadLetterConfig::builder().target_arn(target_arn.unwrap_or_default()).build()
}

pub fn vpc_config(function: &Function) -> types::VpcConfig {
    let VpcConfig { subnet_ids, security_group_ids, ipv6_allowed_for_dual_stack } = &function.vpc_config;
    types::VpcConfig::builder()
        .set_subnet_ids(Some(subnet_ids.iter().cloned().collect()))
        .set_security_group_ids(Some(security_group_ids.iter().cloned().collect()))
        .ipv6_allowed_for_dual_stack(*ipv6_allowed_for_dual_stack)
        .build()
}

pub fn ephemeral_storage(operation: &'static str, function: &Function) -> Result<types::EphemeralStorage, AwsError> {
    let built = types::EphemeralStorage::builder().size(function.ephemeral_storage.size).build();
    built.map_err(|error| invalid(operation, error.to_string()))
}

pub fn snap_start(function: &Function) -> types::SnapStart {
    types::SnapStart::builder().apply_on(function.snap_start.apply_on.as_str().into()).build()
}

pub fn logging_config(function: &Function) -> types::LoggingConfig {
    let LoggingConfig { log_format, application_log_level, system_log_level, log_group } = &function.logging_config;
    types::LoggingConfig::builder()
        .log_format(log_format.as_str().into())
        .set_application_log_level(application_log_level.as_deref().map(types::ApplicationLogLevel::from))
        .set_system_log_level(system_log_level.as_deref().map(types::SystemLogLevel::from))
        .set_log_group(log_group.clone())
        .build()
}

pub fn file_system_configs(
    operation: &'static str,
    function: &Function,
) -> Result<Vec<types::FileSystemConfig>, AwsError> {
    let config = |config: &FileSystemConfig| {
        let s3_files = config
            .s3_files_config
            .as_ref()
            .map(|it| types::S3FilesConfig::builder().direct_s3_read(it.direct_s3_read.as_str().into()).build());
        types::FileSystemConfig::builder()
            .arn(&config.arn)
            .local_mount_path(&config.local_mount_path)
            .set_s3_files_config(s3_files)
            .build()
            .map_err(|error| invalid(operation, error.to_string()))
    };
    function.file_system_configs.iter().map(config).collect()
}

pub fn tenancy_config(operation: &'static str, function: &Function) -> Result<Option<types::TenancyConfig>, AwsError> {
    let Some(TenancyConfig { tenant_isolation_mode }) = &function.tenancy_config else { return Ok(None) };
    let config = types::TenancyConfig::builder().tenant_isolation_mode(tenant_isolation_mode.as_str().into()).build();
    config.map(Some).map_err(|error| invalid(operation, error.to_string()))
}

pub fn durable_config(function: &Function) -> Option<types::DurableConfig> {
    let DurableConfig { execution_timeout, retention_period_in_days, kms_key_arn } =
        function.durable_config.as_ref()?;
    let config = types::DurableConfig::builder()
        .execution_timeout(*execution_timeout)
        .retention_period_in_days(*retention_period_in_days)
        .set_kms_key_arn(kms_key_arn.clone())
        .build();
    Some(config)
}

pub fn live(answer: GetFunctionOutput) -> Result<Live<Function>, AwsError> {
    let unseen = |what: &str, message: &str| {
        let message = format!("the function's {what} cannot be read: {message}");
        AwsError::new("lambda.GetFunction", ErrorClass::Denied, message)
    };
    if let Some(error) = &answer.tags_error {
        return Err(unseen("tags", &error.message));
    }
    let it = answer.configuration.ok_or_else(|| AwsError::missing("lambda.GetFunction", "Configuration"))?;
    if let Some(error) = it.environment.as_ref().and_then(|environment| environment.error.as_ref()) {
        return Err(unseen("environment variables", error.message.as_deref().unwrap_or_default()));
    }
    let attributes = attributes_of(&it)?;
    let unset = Function::default();
    let function = Function {
        function_name: it.function_name,
        package_type: PackageType::Zip,
        code: Zip { sha256: it.code_sha256.unwrap_or_default() },
        runtime: it.runtime.map(|runtime| runtime.as_str().to_owned()),
        handler: it.handler,
        role: it.role.unwrap_or_default(),
        description: it.description.unwrap_or_default(),
        timeout: it.timeout.unwrap_or(unset.timeout),
        memory_size: it.memory_size.unwrap_or(unset.memory_size),
        architectures: it
            .architectures
            .map_or(unset.architectures, |names| names.iter().map(|name| name.as_str().to_owned()).collect()),
        environment: Environment {
            variables: it.environment.and_then(|it| it.variables).unwrap_or_default().into_iter().collect(),
        },
        layers: it.layers.unwrap_or_default().into_iter().filter_map(|layer| layer.arn).collect(),
        tracing_config: it
            .tracing_config
            .and_then(|it| it.mode)
            .map_or(unset.tracing_config, |mode| TracingConfig { mode: mode.as_str().to_owned() }),
        dead_letter_config: it
            .dead_letter_config
            .and_then(|it| it.target_arn)
            .map(|target_arn| DeadLetterConfig { target_arn }),
        vpc_config: it.vpc_config.map_or(unset.vpc_config, |vpc| VpcConfig {
            subnet_ids: vpc.subnet_ids.unwrap_or_default().into_iter().collect(),
            security_group_ids: vpc.security_group_ids.unwrap_or_default().into_iter().collect(),
            ipv6_allowed_for_dual_stack: vpc.ipv6_allowed_for_dual_stack.unwrap_or_default(),
        }),
        kms_key_arn: it.kms_key_arn,
        ephemeral_storage: it
            .ephemeral_storage
            .map_or(unset.ephemeral_storage, |storage| EphemeralStorage { size: storage.size }),
        snap_start: it
            .snap_start
            .and_then(|it| it.apply_on)
            .map_or(unset.snap_start, |apply_on| SnapStart { apply_on: apply_on.as_str().to_owned() }),
        logging_config: it.logging_config.map_or(unset.logging_config, live_logging),
        reserved_concurrent_executions: answer.concurrency.and_then(|it| it.reserved_concurrent_executions),
        file_system_configs: it.file_system_configs.unwrap_or_default().into_iter().map(live_file_system).collect(),
        tenancy_config: it
            .tenancy_config
            .map(|config| TenancyConfig { tenant_isolation_mode: config.tenant_isolation_mode.as_str().to_owned() }),
        durable_config: it.durable_config.and_then(live_durable),
        tags: answer.tags.unwrap_or_default().into(),
        // `settings::read` looks for these.
        code_signing_config_arn: None,
        runtime_management_config: unset.runtime_management_config,
        recursive_loop: unset.recursive_loop,
    };
    Ok(Live::tagged(function, attributes))
}

fn live_logging(config: types::LoggingConfig) -> LoggingConfig {
    LoggingConfig {
        log_format: config.log_format.map_or(LoggingConfig::default().log_format, |it| it.as_str().to_owned()),
        application_log_level: config.application_log_level.map(|level| level.as_str().to_owned()),
        system_log_level: config.system_log_level.map(|level| level.as_str().to_owned()),
        log_group: config.log_group,
    }
}

fn live_file_system(config: types::FileSystemConfig) -> FileSystemConfig {
    let s3_files = config.s3_files_config.and_then(|it| it.direct_s3_read);
    FileSystemConfig {
        arn: config.arn,
        local_mount_path: config.local_mount_path,
        s3_files_config: s3_files.map(|it| S3FilesConfig { direct_s3_read: it.as_str().to_owned() }),
    }
}

fn live_durable(config: types::DurableConfig) -> Option<DurableConfig> {
    Some(DurableConfig {
        execution_timeout: config.execution_timeout?,
        retention_period_in_days: config.retention_period_in_days.unwrap_or(RETENTION_DAYS),
        kms_key_arn: config.kms_key_arn,
    })
}
