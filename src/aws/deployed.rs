//! What other tools have deployed: a stack of CloudFormation's, and the packages of functions and layers. Changes nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudformation::types::{ResourceStatus, TemplateStage};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

use crate::aws::error::{AwsError, During, ErrorClass};
use crate::aws::{Context, https};
use crate::identity::{LogicalId, ResourceType};

/// A stack as CloudFormation knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedStack {
    /// After all transforms.
    pub template: String,
    pub parameters: BTreeMap<String, String>,
    /// The parameters whose values CloudFormation does not tell.
    pub secret_parameters: Vec<String>,
    pub resources: BTreeMap<LogicalId, DeployedResource>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedResource {
    pub resource_type: ResourceType,
    /// What `Ref` gives of it in CloudFormation, for most types.
    pub physical_id: String,
}

/// How CloudFormation writes a `NoEcho` parameter.
const SECRET: &str = "****";

/// Reads a stack's template, parameters and resources.
///
/// # Errors
///
/// There is no such stack, or it may not be read.
pub async fn stack(cx: &Context, name: &str) -> Result<DeployedStack, AwsError> {
    const DESCRIBE: &str = "cloudformation.DescribeStacks";
    let describe = cx.cloudformation.describe_stacks().stack_name(name).send().await.during(DESCRIBE)?;
    let stack = describe.stacks().first().ok_or_else(|| {
        AwsError::new(DESCRIBE, ErrorClass::NotFound, format!("there is no stack `{name}` in {}", cx.scope.region))
    })?;
    let mut parameters = BTreeMap::new();
    let mut secret_parameters = Vec::new();
    for parameter in stack.parameters() {
        let key = parameter.parameter_key().unwrap_or_default().to_owned();
        match parameter.parameter_value().unwrap_or_default() {
            SECRET => secret_parameters.push(key),
            value => _ = parameters.insert(key, value.to_owned()),
        }
    }
    let get = cx.cloudformation.get_template().stack_name(name).template_stage(TemplateStage::Processed);
    let template = get.send().await.during("cloudformation.GetTemplate")?.template_body;
    let template = template.ok_or_else(|| AwsError::missing("cloudformation.GetTemplate", "TemplateBody"))?;
    // DescribeStackResources stops at a hundred.
    let list = cx.cloudformation.list_stack_resources().stack_name(name).into_paginator().items().send();
    let listed: Result<Vec<_>, _> = list.try_collect().await;
    let listed = listed.during("cloudformation.ListStackResources")?.into_iter();
    let listed = listed.filter(|resource| resource.resource_status != Some(ResourceStatus::DeleteComplete));
    let resources = listed.filter_map(|resource| {
        let id = LogicalId::from(resource.logical_resource_id?);
        let resource_type = ResourceType::from(resource.resource_type?);
        Some((id, DeployedResource { resource_type, physical_id: resource.physical_resource_id? }))
    });
    Ok(DeployedStack { template, parameters, secret_parameters, resources: resources.collect() })
}

/// The zip that a function runs.
pub async fn function_package(cx: &Context, function: &str) -> Result<Vec<u8>, AwsError> {
    const GET: &str = "lambda.GetFunction";
    let answer = cx.lambda.get_function().function_name(function).send().await.during(GET)?;
    let location = answer.code.and_then(|code| code.location);
    download(&location.ok_or_else(|| AwsError::missing(GET, "Code.Location"))?).await
}

/// The zip of a layer's version.
pub async fn layer_package(cx: &Context, arn: &str) -> Result<Vec<u8>, AwsError> {
    const GET: &str = "lambda.GetLayerVersionByArn";
    let answer = cx.lambda.get_layer_version_by_arn().arn(arn).send().await.during(GET)?;
    let location = answer.content.and_then(|content| content.location);
    download(&location.ok_or_else(|| AwsError::missing(GET, "Content.Location"))?).await
}

/// Gets what is at an address that AWS has signed. The address is a secret for minutes: no error repeats it.
async fn download(url: &str) -> Result<Vec<u8>, AwsError> {
    const GET: &str = "GET";
    let failed = |class, what: &str| AwsError::new(GET, class, format!("the package cannot be downloaded: {what}"));
    let mut request = HttpRequest::new(SdkBody::empty());
    request.set_uri(url).map_err(|_| failed(ErrorClass::Service, "its address is none"))?;
    let answer = https::connector(Duration::from_secs(300))
        .call(request)
        .await
        .map_err(|_| failed(ErrorClass::Unreachable, "nothing answers"))?;
    if !answer.status().is_success() {
        return Err(failed(ErrorClass::Service, &format!("HTTP {}", answer.status().as_u16())));
    }
    let body = ByteStream::new(answer.into_body()).collect().await;
    Ok(body.map_err(|_| failed(ErrorClass::Unreachable, "the answer broke off"))?.to_vec())
}
