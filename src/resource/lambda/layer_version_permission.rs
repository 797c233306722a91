//! `AWS::Lambda::LayerVersionPermission`: a statement in the policy of a layer's version, whose id names its owner. Found by it.
//! Everything replaces it, and it goes with its version.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::error::{AwsError, During, ErrorClass, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::lambda::passing::{already_exists, is_busy};
use crate::resource::lambda::statement;
use crate::resource::{Attributes, Handler, Live, Made, Mark, Owner, referred};

pub struct LambdaLayerVersionPermission;

/// The template's names and shapes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct LayerVersionPermission {
    pub layer_version_arn: String,
    pub action: String,
    /// An account, or `*` for everybody of the organization.
    pub principal: String,
    pub organization_id: Option<String>,
}

impl Handler for LambdaLayerVersionPermission {
    const TYPE: &'static str = "AWS::Lambda::LayerVersionPermission";
    const FOUND_BY: &'static [&'static str] = &["LayerVersionArn"];
    const PART_OF: &'static [&'static str] = &["LayerVersionArn"];
    const WITHIN: Option<&'static str> = Some("AWS::Lambda::LayerVersion");
    type Properties = LayerVersionPermission;

    /// The statement's id follows from the owner, which is not known here.
    fn predict(_scope: &Scope, _permission: &LayerVersionPermission) -> Attributes {
        Attributes::new()
    }

    async fn find(
        cx: &Context,
        owner: &Owner,
        permission: &LayerVersionPermission,
    ) -> Result<Option<PhysicalId>, AwsError> {
        let id = id_of(&permission.layer_version_arn, &statement::id(owner));
        Ok(Self::read(cx, &id).await?.map(|_| id))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<LayerVersionPermission>>, AwsError> {
        let (layer, statement_id) = parts(id)?;
        let statements = statements(cx, layer).await?;
        let Some(statement) = statements.iter().find(|it| it["Sid"] == statement_id) else { return Ok(None) };
        let mark = Mark::in_name(statement::owner_in(statement_id));
        Ok(Some(Live { properties: permission_of(layer, statement), attributes: attributes_of(id), mark }))
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        permission: &LayerVersionPermission,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        const ADD: &str = "lambda.AddLayerVersionPermission";
        let layer = permission.layer_version_arn.as_str();
        let id = id_of(layer, &statement::id(owner));
        let live = match left {
            Some(id) => Self::read(cx, &id).await?,
            None => None,
        };
        match live {
            Some(live) if live.properties == *permission => {}
            live => {
                if live.is_some() {
                    Self::delete(cx, &id).await?;
                }
                let (name, number) = version(layer)?;
                let add = cx.lambda.add_layer_version_permission().layer_name(name).version_number(number);
                let add = add.statement_id(statement::id(owner)).action(&permission.action);
                let add = add.principal(&permission.principal).set_organization_id(permission.organization_id.clone());
                let call = || async { add.clone().send().await.during(ADD) };
                match cx.while_passing(Patience::seconds(60), is_busy, call).await {
                    // The answer to an earlier attempt was lost.
                    Err(error) if already_exists(&error) => {}
                    answer => drop(answer?),
                }
            }
        }
        Ok(Made { attributes: attributes_of(&id), id })
    }

    /// Nothing of a permission can change.
    async fn update(
        _cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        _permission: &LayerVersionPermission,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let (layer, statement_id) = parts(id)?;
        let (name, number) = version(layer)?;
        let remove = cx.lambda.remove_layer_version_permission().layer_name(name).version_number(number);
        let remove = remove.statement_id(statement_id);
        gone_is_fine(remove.send().await.during("lambda.RemoveLayerVersionPermission"))
    }

    /// Only statements whose id says that paystack made them.
    async fn list_within(cx: &Context, layer: &PhysicalId) -> Result<Vec<PhysicalId>, AwsError> {
        let statements = statements(cx, layer.as_str()).await?;
        let ids = statements.iter().filter_map(|statement| statement["Sid"].as_str());
        Ok(ids.filter(|id| statement::owner_in(id).is_some()).map(|id| id_of(layer.as_str(), id)).collect())
    }
}

const GET: &str = "lambda.GetLayerVersionPolicy";

/// The statements of the version's policy; none where it has no policy, or is not there.
async fn statements(cx: &Context, layer: &str) -> Result<Vec<Value>, AwsError> {
    let (name, number) = version(layer)?;
    let get = cx.lambda.get_layer_version_policy().layer_name(name).version_number(number);
    let Some(policy) = found(GET, get.send().await)?.and_then(|answer| answer.policy) else { return Ok(Vec::new()) };
    statement::all(&policy, GET)
}

/// A statement as AddLayerVersionPermission was told it. An account comes back as the ARN of its root.
fn permission_of(layer: &str, statement: &Value) -> LayerVersionPermission {
    let principal = match &statement["Principal"] {
        Value::Object(kinds) => kinds.values().next().and_then(Value::as_str).unwrap_or_default(),
        principal => principal.as_str().unwrap_or_default(),
    };
    let account = principal.strip_suffix(":root").and_then(|arn| arn.rsplit(':').next());
    let organization = &statement["Condition"]["StringEquals"]["aws:PrincipalOrgID"];
    LayerVersionPermission {
        layer_version_arn: layer.to_owned(),
        action: statement["Action"].as_str().unwrap_or_default().to_owned(),
        principal: account.unwrap_or(principal).to_owned(),
        organization_id: organization.as_str().map(str::to_owned),
    }
}

/// As CloudFormation writes it: `arn:aws:lambda:us-east-1:123456789012:layer:libraries:1#statement`.
fn id_of(layer: &str, statement_id: &str) -> PhysicalId {
    PhysicalId::from(format!("{layer}#{statement_id}"))
}

fn parts(id: &PhysicalId) -> Result<(&str, &str), AwsError> {
    id.as_str().split_once('#').ok_or_else(|| {
        let message = format!("`{id}` is no identifier of the form `layer version ARN#statement`");
        AwsError::new(GET, ErrorClass::Invalid, message)
    })
}

/// Name (with account and region, of a layer that is another's) and number.
fn version(layer: &str) -> Result<(&str, i64), AwsError> {
    let parts = layer.rsplit_once(':').and_then(|(name, number)| Some((name, number.parse().ok()?)));
    parts.ok_or_else(|| AwsError::new(GET, ErrorClass::Invalid, format!("`{layer}` is no ARN of a layer's version")))
}

fn attributes_of(id: &PhysicalId) -> Attributes {
    referred(id.as_str(), [("Id", id.as_str().to_owned())])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_statement_is_read_as_it_was_declared() {
        let statement = json!({
            "Sid": "x",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": "lambda:GetLayerVersion",
            "Resource": "arn:aws:lambda:us-east-1:123456789012:layer:libraries:1",
        });
        let declared = LayerVersionPermission {
            layer_version_arn: "arn:aws:lambda:us-east-1:123456789012:layer:libraries:1".to_owned(),
            action: "lambda:GetLayerVersion".to_owned(),
            principal: "111122223333".to_owned(),
            organization_id: None,
        };
        assert_eq!(permission_of(&declared.layer_version_arn, &statement), declared);
        let everybody = json!({
            "Principal": "*",
            "Action": "lambda:GetLayerVersion",
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3"}},
        });
        let declared = LayerVersionPermission {
            principal: "*".to_owned(),
            organization_id: Some("o-a1b2c3".to_owned()),
            ..declared
        };
        assert_eq!(permission_of(&declared.layer_version_arn, &everybody), declared);
    }
}
