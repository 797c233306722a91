//! `AWS::Lambda::Function`. Found by name. The name, `PackageType` and `TenancyConfig` replace it.
//!
//! Code is local: the properties carry the digest of its zip, which Lambda answers as `CodeSha256`, and the core refuses
//! `S3Bucket`, `S3Key`, `ImageUri` and what goes with them before a handler sees them. A function is changed in up to three
//! steps (configuration, code, what has an API of its own), and each waits for the one before: see "Lambda" in the behaviour
//! notes.

mod properties;
mod settings;
mod translation;

use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::{self, FunctionConfiguration, LastUpdateStatus, State};
use serde::Deserialize;

use crate::aws::error::{AwsError, During, ErrorClass, found, gone_is_fine, none_if};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::lambda::passing::{already_exists, is_busy, while_propagating};
use crate::resource::lambda::upload;
use crate::resource::lambda::{function_name, tagging};
use crate::resource::{Attributes, GeneratedName, Handler, Live, Made, Owner, attributes, referred};
use crate::unknown;

pub use properties::Function;
use properties::*;
use translation::*;

pub struct LambdaFunction;

/// What UpdateFunctionConfiguration changes.
pub(crate) const CONFIGURATION: &[&str] = &[
    "DeadLetterConfig",
    "Description",
    "DurableConfig",
    "Environment",
    "EphemeralStorage",
    "FileSystemConfigs",
    "Handler",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "Runtime",
    "SnapStart",
    "Timeout",
    "TracingConfig",
    "VpcConfig",
];

const ON_INSTANCES: &str = "functions on capacity providers of your own are not handled: leave it out, and the function \
                            runs where Lambda runs all others";

impl Handler for LambdaFunction {
    const TYPE: &'static str = "AWS::Lambda::Function";
    const FOUND_BY: &'static [&'static str] = &["FunctionName"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("FunctionName", 64));
    const TAGGED_AS: Option<&'static str> = Some("lambda:function");
    const REFUSED: &'static [(&'static str, &'static str)] = &[
        ("CapacityProviderConfig", ON_INSTANCES),
        ("FunctionScalingConfig", ON_INSTANCES),
        ("ImageConfig", "container images are not handled: point `Code` to the code's directory"),
        ("PublishToLatestPublished", ON_INSTANCES),
    ];
    type Properties = Function;

    fn complete(function: &mut Function) {
        function.function_name = function.function_name.as_deref().map(function_name::short);
        function.kms_key_arn.take_if(|arn| arn.is_empty());
        function.dead_letter_config.take_if(|config| config.target_arn.is_empty());
        for config in &mut function.file_system_configs {
            config.s3_files_config.take_if(|config| *config == S3FilesConfig::default());
        }
        let logging = &mut function.logging_config;
        if let Some(name) = &function.function_name {
            logging.log_group.get_or_insert_with(|| format!("/aws/lambda/{name}"));
        }
        if logging.log_format == "JSON" {
            logging.application_log_level.get_or_insert_with(|| "INFO".to_owned());
            logging.system_log_level.get_or_insert_with(|| "INFO".to_owned());
        }
    }

    fn predict(scope: &Scope, function: &Function) -> Attributes {
        let Some(name) = &function.function_name else { return Attributes::new() };
        attributes([("Arn", Some(arn_of(scope, name))), ("Ref", Some(name.clone()))])
    }

    async fn find(cx: &Context, _owner: &Owner, function: &Function) -> Result<Option<PhysicalId>, AwsError> {
        let name = name_of(function)?;
        Ok(get(cx, name).await?.map(|_| PhysicalId::from(name)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Function>>, AwsError> {
        let Some(answer) = get(cx, id.as_str()).await? else { return Ok(None) };
        let mut live = live(answer)?;
        settings::read(cx, id.as_str(), &mut live.properties).await?;
        Ok(Some(live))
    }

    async fn make_new(cx: &Context, _owner: &Owner, function: &Function) -> Result<Option<Made>, AwsError> {
        let made = make(cx, name_of(function)?, function).await;
        let Some(()) = none_if(made, already_exists)? else { return Ok(None) };
        complete(cx, function).await.map(Some)
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        function: &Function,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let name = name_of(function)?;
        if left.is_none() {
            make(cx, name, function).await?;
        }
        complete(cx, function).await
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        function: &Function,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let name = id.as_str();
        settled(cx, name).await?;
        if changes.touch_any(CONFIGURATION) {
            configure(cx, name, function, changes).await?;
            succeeded(settled(cx, name).await?)?;
        }
        if changes.touch("CodeSigningConfigArn") {
            settings::write(cx, name, function, |setting| setting == "CodeSigningConfigArn").await?;
        }
        if changes.touch_any(&["Code", "Architectures"]) {
            replace_code(cx, name, function).await?;
            succeeded(settled(cx, name).await?)?;
        }
        settings::write(cx, name, function, |it| it != "CodeSigningConfigArn" && changes.touch(it)).await?;
        if changes.touch("Tags") || changes.touch_any(&settings::TAGGED) {
            tagging::sync(cx, &arn_of(&cx.scope, name), &settings::tags(function)).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let delete = cx.lambda.delete_function().function_name(id.as_str());
        // A function that is still being made cannot be deleted yet.
        let deleted = cx.while_passing(Patience::minutes(600), is_busy, || async {
            delete.clone().send().await.during("lambda.DeleteFunction")
        });
        gone_is_fine(deleted.await)?;
        cx.until("lambda.GetFunction", "the function to be gone", Patience::seconds(300), || async {
            let answer = cx.lambda.get_function().function_name(id.as_str()).send().await;
            Ok(found("lambda.GetFunction", answer)?.is_none().then_some(()))
        })
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        let name = arn.strip_prefix(&arn_of(&cx.scope, ""));
        Ok(name.filter(|name| !name.contains(':')).map(PhysicalId::from))
    }
}

pub(crate) use settings::{TAGGED, tags};

/// Whether properties in canonical form use a setting that has an API of its own.
pub(crate) fn uses(properties: &serde_json::Value, setting: &str) -> bool {
    Function::deserialize(properties).is_ok_and(|function| settings::is_used(&function, setting))
}

fn arn_of(scope: &Scope, name: &str) -> String {
    scope.arn("lambda", &format!("function:{name}"))
}

fn name_of(function: &Function) -> Result<&str, AwsError> {
    let name = function.function_name.as_deref().filter(|name| !unknown::is_in(name));
    name.ok_or_else(|| invalid("lambda.GetFunction", "the function has no `FunctionName`"))
}

fn invalid(operation: &'static str, message: impl Into<String>) -> AwsError {
    AwsError::new(operation, ErrorClass::Invalid, message)
}

/// The function, unless it is on its way out.
async fn get(cx: &Context, name: &str) -> Result<Option<GetFunctionOutput>, AwsError> {
    let ask = || async { found("lambda.GetFunction", cx.lambda.get_function().function_name(name).send().await) };
    let answer = cx.once("lambda.GetFunction", name, ask).await?;
    let is_going = |answer: &GetFunctionOutput| {
        let configuration = answer.configuration.as_ref();
        configuration.and_then(|it| it.state.as_ref()).is_some_and(|state| state.as_str() == "Deleting")
    };
    Ok(answer.filter(|answer| !is_going(answer)))
}

/// Waits until nothing changes the function any more. A function that was just made may not be seen at once.
async fn settled(cx: &Context, name: &str) -> Result<FunctionConfiguration, AwsError> {
    let waiting_for = format!("the function `{name}` to be ready");
    cx.until("lambda.GetFunction", &waiting_for, Patience::seconds(600), || async {
        let configuration = get(cx, name).await?.and_then(|answer| answer.configuration);
        Ok(configuration.filter(is_settled))
    })
    .await
}

/// Whether nothing changes the function, or the version, any more.
pub(super) fn is_settled(it: &FunctionConfiguration) -> bool {
    it.state != Some(State::Pending) && it.last_update_status != Some(LastUpdateStatus::InProgress)
}

/// The function, or the version, or why it did not come to be what was asked for.
pub(super) fn succeeded(configuration: FunctionConfiguration) -> Result<FunctionConfiguration, AwsError> {
    let refused = |what: &str, reason: &Option<String>, code: Option<&str>| {
        let reason = reason.as_deref().unwrap_or("Lambda gives no reason");
        let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
        invalid("lambda.GetFunction", format!("Lambda could not {what} the function: {reason}{code}"))
    };
    if configuration.state == Some(State::Failed) {
        let code = configuration.state_reason_code.as_ref().map(|code| code.as_str());
        return Err(refused("make", &configuration.state_reason, code));
    }
    if configuration.last_update_status == Some(LastUpdateStatus::Failed) {
        let code = configuration.last_update_status_reason_code.as_ref().map(|code| code.as_str());
        return Err(refused("change", &configuration.last_update_status_reason, code));
    }
    Ok(configuration)
}

async fn make(cx: &Context, name: &str, function: &Function) -> Result<(), AwsError> {
    const CREATE: &str = "lambda.CreateFunction";
    check_mandatory(CREATE, function)?;
    let zip = &function.code.upload(cx, CREATE)?;
    let create = cx
        .lambda
        .create_function()
        .function_name(name)
        .code(types::FunctionCode::builder().zip_file(upload::stand_in()).build())
        .package_type(types::PackageType::Zip)
        .set_runtime(function.runtime.as_deref().map(types::Runtime::from))
        .set_handler(function.handler.clone())
        .role(&function.role)
        .description(&function.description)
        .timeout(function.timeout)
        .memory_size(function.memory_size)
        .set_architectures(Some(architectures(function)))
        .environment(environment(function))
        .set_layers(Some(function.layers.clone()))
        .tracing_config(tracing_config(function))
        .set_dead_letter_config(function.dead_letter_config.is_some().then(|| dead_letter_config(function)))
        .set_vpc_config((function.vpc_config != VpcConfig::default()).then(|| vpc_config(function)))
        .set_kms_key_arn(function.kms_key_arn.clone())
        .ephemeral_storage(ephemeral_storage(CREATE, function)?)
        .set_snap_start((function.snap_start != SnapStart::default()).then(|| snap_start(function)))
        .logging_config(logging_config(function))
        .set_file_system_configs(Some(file_system_configs(CREATE, function)?))
        .set_code_signing_config_arn(function.code_signing_config_arn.clone())
        .set_tenancy_config(tenancy_config(CREATE, function)?)
        .set_durable_config(durable_config(function))
        .set_tags(Some(settings::tags(function).to_map()));
    while_propagating(cx, || async {
        upload::carrying(create.clone().customize(), zip.clone()).send().await.during(CREATE)
    })
    .await
    .map(drop)
}

/// Gives a function that was made what does not travel in the create, once it is ready.
async fn complete(cx: &Context, function: &Function) -> Result<Made, AwsError> {
    let name = name_of(function)?;
    let configuration = succeeded(settled(cx, name).await?)?;
    // Code signing travels in the create itself.
    let is_left = |setting: &str| setting != "CodeSigningConfigArn" && settings::is_used(function, setting);
    settings::write(cx, name, function, is_left).await?;
    Ok(Made { id: PhysicalId::from(name), attributes: attributes_of(&configuration)? })
}

fn check_mandatory(operation: &'static str, function: &Function) -> Result<(), AwsError> {
    for (property, value) in [("Runtime", &function.runtime), ("Handler", &function.handler)] {
        if value.is_none() {
            return Err(invalid(operation, format!("a function whose code is a zip needs the property `{property}`")));
        }
    }
    Ok(())
}

/// Sends what changes. What the template leaves out is sent with the value of a new function: what is not sent stays.
async fn configure(cx: &Context, name: &str, function: &Function, changes: &Changes) -> Result<(), AwsError> {
    const UPDATE: &str = "lambda.UpdateFunctionConfiguration";
    check_mandatory(UPDATE, function)?;
    let touched = |property: &str| changes.touch(property).then_some(function);
    // A key is taken up only together with what it encrypts.
    let variables = touched("Environment").or(touched("KmsKeyArn"));
    let mut update = cx
        .lambda
        .update_function_configuration()
        .function_name(name)
        .set_runtime(touched("Runtime").and_then(|it| it.runtime.as_deref()).map(types::Runtime::from))
        .set_handler(touched("Handler").and_then(|it| it.handler.clone()))
        .set_role(touched("Role").map(|it| it.role.clone()))
        .set_description(touched("Description").map(|it| it.description.clone()))
        .set_timeout(touched("Timeout").map(|it| it.timeout))
        .set_memory_size(touched("MemorySize").map(|it| it.memory_size))
        .set_environment(variables.map(environment))
        .set_layers(touched("Layers").map(|it| it.layers.clone()))
        .set_tracing_config(touched("TracingConfig").map(tracing_config))
        .set_dead_letter_config(touched("DeadLetterConfig").map(dead_letter_config))
        .set_vpc_config(touched("VpcConfig").map(vpc_config))
        .set_kms_key_arn(touched("KmsKeyArn").map(|it| it.kms_key_arn.clone().unwrap_or_default()))
        .set_snap_start(touched("SnapStart").map(snap_start))
        .set_logging_config(touched("LoggingConfig").map(logging_config))
        .set_durable_config(touched("DurableConfig").and_then(durable_config));
    if changes.touch("EphemeralStorage") {
        update = update.ephemeral_storage(ephemeral_storage(UPDATE, function)?);
    }
    if changes.touch("FileSystemConfigs") {
        update = update.set_file_system_configs(Some(file_system_configs(UPDATE, function)?));
    }
    while_propagating(cx, || {
        cx.while_passing(Patience::seconds(300), is_busy, || async { update.clone().send().await.during(UPDATE) })
    })
    .await
    .map(drop)
}

async fn replace_code(cx: &Context, name: &str, function: &Function) -> Result<(), AwsError> {
    const UPDATE: &str = "lambda.UpdateFunctionCode";
    let zip = &function.code.upload(cx, UPDATE)?;
    let update = cx.lambda.update_function_code().function_name(name).zip_file(upload::stand_in());
    let update = update.set_architectures(Some(architectures(function)));
    cx.while_passing(Patience::seconds(300), is_busy, || async {
        upload::carrying(update.clone().customize(), zip.clone()).send().await.during(UPDATE)
    })
    .await
    .map(drop)
}

fn attributes_of(configuration: &FunctionConfiguration) -> Result<Attributes, AwsError> {
    let missing = |what: &str| AwsError::missing("lambda.GetFunction", what);
    let name = configuration.function_name.as_deref().ok_or_else(|| missing("FunctionName"))?;
    let arn = configuration.function_arn.clone().ok_or_else(|| missing("FunctionArn"))?;
    let mut attributes = referred(name, [("Arn", arn)]);
    if let Some(snap_start) = &configuration.snap_start {
        let apply_on = snap_start.apply_on.as_ref().map(|it| it.as_str());
        let optimization = snap_start.optimization_status.as_ref().map(|it| it.as_str());
        for (name, value) in [("ApplyOn", apply_on), ("OptimizationStatus", optimization)] {
            attributes.extend(value.map(|value| (format!("SnapStartResponse.{name}"), value.into())));
        }
    }
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn completed(properties: serde_json::Value) -> Result<Function, String> {
        let mut function: Function = serde_json::from_value(properties).map_err(|error| error.to_string())?;
        LambdaFunction::complete(&mut function);
        Ok(function)
    }

    #[test]
    fn a_function_logs_to_a_group_of_its_own_name_and_json_has_levels() {
        let function = completed(json!({"FunctionName": "orders", "LoggingConfig": {"LogFormat": "JSON"}})).unwrap();
        assert_eq!(function.logging_config.log_group.as_deref(), Some("/aws/lambda/orders"));
        assert_eq!(function.logging_config.system_log_level.as_deref(), Some("INFO"));
    }

    #[test]
    fn a_container_image_is_refused_with_the_way_out() {
        let error = completed(json!({"PackageType": "Image"})).unwrap_err();
        assert!(error.contains("point `Code` to the code's directory"), "{error}");
    }

    #[test]
    fn what_lambda_could_not_do_is_said_with_its_reason() {
        let failed = FunctionConfiguration::builder()
            .state(State::Failed)
            .state_reason("no more addresses in the subnet")
            .state_reason_code(types::StateReasonCode::SubnetOutOfIpAddresses)
            .build();
        let error = succeeded(failed).unwrap_err();
        assert_eq!(
            error.message,
            "Lambda could not make the function: no more addresses in the subnet (SubnetOutOfIPAddresses)"
        );
    }
}
