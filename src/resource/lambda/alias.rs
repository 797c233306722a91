//! `AWS::Lambda::Alias`: a name for one version of a function, or for two with weights. Found by function and name, which
//! replace it. It cannot carry a mark, and goes with its function.

use std::collections::HashMap;

use aws_sdk_lambda::types::AliasRoutingConfiguration;
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, ErrorClass, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::lambda::function_name;
use crate::resource::lambda::passing::{already_exists, is_busy};
use crate::resource::lambda::provisioned_concurrency::{self, ProvisionedConcurrency};
use crate::resource::{Attributes, Handler, Live, Made, Owner, left_to_change, referred};
use crate::unknown;

pub struct LambdaAlias;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Alias {
    pub function_name: String,
    pub name: String,
    pub function_version: String,
    pub description: Option<String>,
    pub routing_config: Option<RoutingConfig>,
    pub provisioned_concurrency_config: Option<ProvisionedConcurrency>,
}

/// Which part of the calls goes to which other version. In order of version.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct RoutingConfig {
    pub additional_version_weights: Vec<VersionWeight>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct VersionWeight {
    pub function_version: String,
    /// From 0 to 1.
    pub function_weight: f64,
}

impl Handler for LambdaAlias {
    const TYPE: &'static str = "AWS::Lambda::Alias";
    const FOUND_BY: &'static [&'static str] = &["FunctionName", "Name"];
    const PART_OF: &'static [&'static str] = &["FunctionName"];
    const WITHIN: Option<&'static str> = Some("AWS::Lambda::Function");
    type Properties = Alias;

    fn complete(alias: &mut Alias) {
        alias.function_name = function_name::short(&alias.function_name);
        alias.description.take_if(|text| text.is_empty());
        alias.routing_config.take_if(|routing| routing.additional_version_weights.is_empty());
        if let Some(routing) = &mut alias.routing_config {
            routing.additional_version_weights.sort_by(|one, other| one.function_version.cmp(&other.function_version));
        }
    }

    fn predict(scope: &Scope, alias: &Alias) -> Attributes {
        attributes_of(&arn_of(scope, &alias.function_name, &alias.name))
    }

    async fn find(cx: &Context, _owner: &Owner, alias: &Alias) -> Result<Option<PhysicalId>, AwsError> {
        let id = PhysicalId::from(arn_of(&cx.scope, &alias.function_name, &alias.name));
        Ok(Self::read(cx, &id).await?.map(|_| id))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Alias>>, AwsError> {
        let (function, name) = parts(id)?;
        let get = cx.lambda.get_alias().function_name(function).name(name);
        let Some(answer) = found("lambda.GetAlias", get.send().await)? else { return Ok(None) };
        let weights = answer.routing_config.and_then(|it| it.additional_version_weights).unwrap_or_default();
        let weights = weights
            .into_iter()
            .map(|(function_version, function_weight)| VersionWeight { function_version, function_weight })
            .collect();
        let alias = Alias {
            function_name: function.to_owned(),
            name: name.to_owned(),
            function_version: answer.function_version.unwrap_or_default(),
            description: answer.description,
            routing_config: Some(RoutingConfig { additional_version_weights: weights }),
            provisioned_concurrency_config: provisioned_concurrency::read(cx, function, name).await?,
        };
        Ok(Some(Live::unmarkable(alias, attributes_of(id.as_str()))))
    }

    async fn create(cx: &Context, owner: &Owner, alias: &Alias, _left: Option<PhysicalId>) -> Result<Made, AwsError> {
        let (function, name) = (alias.function_name.as_str(), alias.name.as_str());
        let create = cx.lambda.create_alias().function_name(function).name(name);
        let create = create.function_version(&alias.function_version).set_description(alias.description.clone());
        let create = create.set_routing_config(alias.routing_config.as_ref().map(routing));
        let call = || async { create.clone().send().await.during("lambda.CreateAlias") };
        let id = PhysicalId::from(arn_of(&cx.scope, function, name));
        match cx.while_passing(Patience::seconds(120), is_busy, call).await {
            // An interrupted create left it, whole or in part.
            Err(error) if already_exists(&error) => {
                let live = Self::read(cx, &id).await?.ok_or(error)?;
                Self::update(cx, owner, &id, alias, &left_to_change::<Self>(&live, alias)).await?;
            }
            answer => {
                answer?;
                if let Some(wanted) = &alias.provisioned_concurrency_config {
                    provisioned_concurrency::write(cx, function, name, Some(wanted)).await?;
                }
            }
        }
        Ok(Made { attributes: attributes_of(id.as_str()), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        alias: &Alias,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let (function, name) = parts(id)?;
        // Environments are kept ready for one version only.
        let provisions = changes.touch("ProvisionedConcurrencyConfig");
        if provisions && alias.provisioned_concurrency_config.is_none() {
            provisioned_concurrency::write(cx, function, name, None).await?;
        }
        if changes.touch_any(&["Description", "FunctionVersion", "RoutingConfig"]) {
            let update = cx.lambda.update_alias().function_name(function).name(name);
            let update = update.function_version(&alias.function_version);
            let update = update.description(alias.description.as_deref().unwrap_or_default());
            let update = update.routing_config(routing(alias.routing_config.as_ref().unwrap_or(&NO_ROUTING)));
            let call = || async { update.clone().send().await.during("lambda.UpdateAlias") };
            cx.while_passing(Patience::seconds(120), is_busy, call).await?;
        }
        if let Some(wanted) = alias.provisioned_concurrency_config.as_ref().filter(|_| provisions) {
            provisioned_concurrency::write(cx, function, name, Some(wanted)).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let (function, name) = parts(id)?;
        let delete = cx.lambda.delete_alias().function_name(function).name(name);
        let deleted = cx.while_passing(Patience::seconds(120), is_busy, || async {
            delete.clone().send().await.during("lambda.DeleteAlias")
        });
        gone_is_fine(deleted.await)?;
        cx.until("lambda.GetAlias", "the alias to be gone", Patience::seconds(60), || async {
            let get = cx.lambda.get_alias().function_name(function).name(name);
            Ok(found("lambda.GetAlias", get.send().await)?.is_none().then_some(()))
        })
        .await
    }

    async fn list_within(cx: &Context, function: &PhysicalId) -> Result<Vec<PhysicalId>, AwsError> {
        let list = cx.lambda.list_aliases().function_name(function.as_str()).into_paginator().items().send();
        let aliases: Result<Vec<_>, _> = list.collect().await;
        let aliases = found("lambda.ListAliases", aliases)?.unwrap_or_default();
        Ok(aliases.into_iter().filter_map(|alias| alias.alias_arn).map(PhysicalId::from).collect())
    }
}

static NO_ROUTING: RoutingConfig = RoutingConfig { additional_version_weights: Vec::new() };

fn routing(config: &RoutingConfig) -> AliasRoutingConfiguration {
    let weights = config.additional_version_weights.iter();
    let weights: HashMap<String, f64> =
        weights.map(|weight| (weight.function_version.clone(), weight.function_weight)).collect();
    AliasRoutingConfiguration::builder().set_additional_version_weights(Some(weights)).build()
}

/// A function whose name is not known yet may be known by an ARN that is not known yet.
fn arn_of(scope: &Scope, function: &str, name: &str) -> String {
    if unknown::is_in(function) {
        format!("{function}:{name}")
    } else {
        scope.arn("lambda", &format!("function:{function}:{name}"))
    }
}

/// Function and name of the alias that an ARN names.
fn parts(id: &PhysicalId) -> Result<(&str, &str), AwsError> {
    let parts = id.as_str().split_once(":function:").and_then(|(_, name)| name.split_once(':'));
    parts.ok_or_else(|| {
        AwsError::new("lambda.GetAlias", ErrorClass::Invalid, format!("`{id}` is no ARN of a function's alias"))
    })
}

fn attributes_of(arn: &str) -> Attributes {
    referred(arn, [("AliasArn", arn.to_owned())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_in_order_of_version_and_none_is_no_routing() {
        let weight = |version: &str| VersionWeight { function_version: version.to_owned(), function_weight: 0.1 };
        let config = |weights| Some(RoutingConfig { additional_version_weights: weights });
        let mut alias = Alias { routing_config: config(vec![weight("3"), weight("2")]), ..Alias::default() };
        LambdaAlias::complete(&mut alias);
        assert_eq!(alias.routing_config, config(vec![weight("2"), weight("3")]));
        let mut alias = Alias { routing_config: config(Vec::new()), ..Alias::default() };
        LambdaAlias::complete(&mut alias);
        assert_eq!(alias.routing_config, None);
    }
}
