//! `AWS::Lambda::Permission`: one statement of a function's policy. Its identifier is `FunctionName|Id`, where `Id` is the
//! statement's id and the function may carry an alias (`orders:live|…`). Everything replaces it.
//!
//! The statement's id follows from the owner, so a permission is known again without a ledger, and a replacement on the same
//! function has the same identity: the old statement goes first. Should an interrupted replacement have left it, `create`
//! puts the new one in its place. Statements of one function are written one at a time, since a second writer is refused;
//! they go with the function, so nothing is swept.
//!
//! A statement under another id is not adopted: its id cannot change, and one of our own stands beside it.

use aws_sdk_lambda::types::FunctionUrlAuthType;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::error::{AwsError, During, ErrorClass, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::lambda::function_name;
use crate::resource::lambda::passing::{already_exists, is_busy};
use crate::resource::lambda::statement as statement_ids;
use crate::resource::{Attributes, Handler, Live, Made, Mark, Owner, referred};
use crate::unknown;

pub struct LambdaPermission;

/// The template's names and shapes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Permission {
    pub function_name: String,
    pub action: String,
    pub principal: String,
    pub source_arn: Option<String>,
    pub source_account: Option<String>,
    pub event_source_token: Option<String>,
    pub function_url_auth_type: Option<String>,
    pub invoked_via_function_url: bool,
    #[serde(rename = "PrincipalOrgID")]
    pub principal_org_id: Option<String>,
}

impl Handler for LambdaPermission {
    const TYPE: &'static str = "AWS::Lambda::Permission";
    const FOUND_BY: &'static [&'static str] = &["FunctionName"];
    const PART_OF: &'static [&'static str] = &["FunctionName"];
    const WITHIN: Option<&'static str> = Some("AWS::Lambda::Function");
    type Properties = Permission;

    fn complete(permission: &mut Permission) {
        permission.function_name = function_name::short(&permission.function_name);
        if let Some(account) = account_of_root(&permission.principal) {
            permission.principal = account.to_owned();
        }
    }

    /// The statement's id follows from the owner, which is not known here.
    fn predict(_scope: &Scope, _permission: &Permission) -> Attributes {
        Attributes::new()
    }

    async fn find(cx: &Context, owner: &Owner, permission: &Permission) -> Result<Option<PhysicalId>, AwsError> {
        let id = statement_ids::id(owner);
        let statement = statement(cx, &permission.function_name, &id).await?;
        Ok(statement.map(|_| PhysicalId::join([permission.function_name.as_str(), &id])))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Permission>>, AwsError> {
        let [function, statement_id] = parts(id)?;
        let Some(permission) = statement(cx, function, statement_id).await? else { return Ok(None) };
        let mark = Mark::in_name(statement_ids::owner_in(statement_id));
        Ok(Some(Live { properties: permission, attributes: attributes_of(statement_id), mark }))
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        permission: &Permission,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let function = permission.function_name.as_str();
        let id = statement_ids::id(owner);
        let _turn = turn(cx, function).await;
        let live = match left {
            Some(_) => statement(cx, function, &id).await?,
            None => None,
        };
        if live.as_ref() != Some(permission) {
            if live.is_some() {
                remove(cx, function, &id).await?;
            }
            add(cx, permission, &id).await?;
        }
        Ok(Made { id: PhysicalId::join([function, &id]), attributes: attributes_of(&id) })
    }

    /// Nothing of a permission can change.
    async fn update(
        _cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        _permission: &Permission,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [function, statement_id] = parts(id)?;
        let _turn = turn(cx, function).await;
        remove(cx, function, statement_id).await
    }

    /// Only statements whose id says that paystack made them: others permit calls to our functions by hand.
    async fn list_within(cx: &Context, function: &PhysicalId) -> Result<Vec<PhysicalId>, AwsError> {
        let function = function.as_str();
        let statements = statements(cx, function).await?;
        let ids = statements.iter().filter_map(|statement| statement["Sid"].as_str());
        Ok(ids.filter(|id| statement_ids::owner_in(id).is_some()).map(|id| PhysicalId::join([function, id])).collect())
    }
}

fn parts(id: &PhysicalId) -> Result<[&str; 2], AwsError> {
    id.parts().ok_or_else(|| {
        let message = format!("`{id}` is no identifier of a permission: it would be `function|statement`");
        AwsError::new("lambda.GetPolicy", ErrorClass::Invalid, message)
    })
}

fn attributes_of(statement_id: &str) -> Attributes {
    referred(statement_id, [("Id", statement_id.to_owned())])
}

async fn turn(cx: &Context, function: &str) -> tokio::sync::OwnedMutexGuard<()> {
    let (name, _) = function_name::qualified(function);
    cx.turn(&format!("the policy of the function {name}")).await
}

async fn add(cx: &Context, permission: &Permission, id: &str) -> Result<(), AwsError> {
    let (name, qualifier) = function_name::qualified(&permission.function_name);
    let add = cx
        .lambda
        .add_permission()
        .function_name(name)
        .set_qualifier(qualifier.map(str::to_owned))
        .statement_id(id)
        .action(&permission.action)
        .principal(&permission.principal)
        .set_source_arn(permission.source_arn.clone())
        .set_source_account(permission.source_account.clone())
        .set_event_source_token(permission.event_source_token.clone())
        .set_function_url_auth_type(permission.function_url_auth_type.as_deref().map(FunctionUrlAuthType::from))
        .set_invoked_via_function_url(permission.invoked_via_function_url.then_some(true))
        .set_principal_org_id(permission.principal_org_id.clone());
    let answer = cx
        .while_passing(
            Patience::seconds(120),
            |error| is_busy(error) || is_fresh_principal(error),
            || async { add.clone().send().await.during("lambda.AddPermission") },
        )
        .await;
    match answer {
        // The answer to an earlier attempt was lost.
        Err(error) if already_exists(&error) => {}
        answer => drop(answer?),
    }
    cx.until("lambda.GetPolicy", "the permission to show", Patience::seconds(300), || async {
        let shown = statement(cx, &permission.function_name, id).await?;
        Ok(shown.filter(|shown| shown == permission).map(drop))
    })
    .await
}

async fn remove(cx: &Context, function: &str, id: &str) -> Result<(), AwsError> {
    let (name, qualifier) = function_name::qualified(function);
    let remove = cx.lambda.remove_permission().function_name(name).statement_id(id);
    let remove = remove.set_qualifier(qualifier.map(str::to_owned));
    let removed = cx.while_passing(Patience::seconds(120), is_busy, || async {
        remove.clone().send().await.during("lambda.RemovePermission")
    });
    gone_is_fine(removed.await)?;
    cx.until("lambda.GetPolicy", "the permission to be gone", Patience::seconds(120), || async {
        Ok(statement(cx, function, id).await?.is_none().then_some(()))
    })
    .await
}

/// A role or user that was made a moment ago is refused as a principal.
fn is_fresh_principal(error: &AwsError) -> bool {
    error.says("InvalidParameterValueException", "The provided principal was invalid")
}

/// The statement with this id in the function's policy.
async fn statement(cx: &Context, function: &str, id: &str) -> Result<Option<Permission>, AwsError> {
    let statements = statements(cx, function).await?;
    let statement = statements.iter().find(|statement| statement["Sid"] == id);
    Ok(statement.map(|statement| permission_of(function, statement)))
}

/// The statements of the function's policy; none where it has no policy.
async fn statements(cx: &Context, function: &str) -> Result<Vec<Value>, AwsError> {
    let (name, qualifier) = function_name::qualified(function);
    let get = cx.lambda.get_policy().function_name(name).set_qualifier(qualifier.map(str::to_owned));
    let ask = || async { Ok(found("lambda.GetPolicy", get.send().await)?.and_then(|answer| answer.policy)) };
    let Some(policy) = cx.once("lambda.GetPolicy", function, ask).await? else { return Ok(Vec::new()) };
    statement_ids::all(&policy, "lambda.GetPolicy")
}

/// A statement as AddPermission was told it.
fn permission_of(function: &str, statement: &Value) -> Permission {
    let condition = |key: &str| condition(statement, key);
    let mut permission = Permission {
        function_name: function.to_owned(),
        action: only(&statement["Action"]),
        principal: match &statement["Principal"] {
            Value::Object(kinds) => kinds.values().next().map(only).unwrap_or_default(),
            principal => only(principal),
        },
        source_arn: condition("AWS:SourceArn"),
        source_account: condition("AWS:SourceAccount"),
        event_source_token: condition("lambda:EventSourceToken"),
        function_url_auth_type: condition("lambda:FunctionUrlAuthType"),
        invoked_via_function_url: condition("lambda:InvokedViaFunctionUrl").as_deref() == Some("true"),
        principal_org_id: condition("aws:PrincipalOrgID"),
    };
    LambdaPermission::complete(&mut permission);
    permission
}

/// The value of a condition's key under whatever operator: which one follows from the key.
fn condition(statement: &Value, key: &str) -> Option<String> {
    let operators = statement["Condition"].as_object()?;
    let keys = operators.values().filter_map(Value::as_object).flatten();
    keys.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| only(value))
}

/// A single value, which policies may write as a list of one.
fn only(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.len() == 1 => only(&items[0]),
        value => value.to_string(),
    }
}

/// `123456789012` of `arn:aws:iam::123456789012:root`, which is how policies write an account.
fn account_of_root(principal: &str) -> Option<&str> {
    if unknown::is_in(principal) {
        return None;
    }
    let account = principal.strip_prefix("arn:")?.strip_suffix(":root")?.split_once(":iam::")?.1;
    account.bytes().all(|byte| byte.is_ascii_digit()).then_some(account)
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
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
            "Action": "lambda:InvokeFunctionUrl",
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:orders",
            "Condition": {
                "StringEquals": {"lambda:FunctionUrlAuthType": "NONE", "AWS:SourceAccount": "123456789012"},
                "ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:us-east-1:123456789012:api/*"},
                "Bool": {"lambda:InvokedViaFunctionUrl": "true"},
            },
        });
        let declared = Permission {
            function_name: "orders".to_owned(),
            action: "lambda:InvokeFunctionUrl".to_owned(),
            principal: "123456789012".to_owned(),
            source_arn: Some("arn:aws:execute-api:us-east-1:123456789012:api/*".to_owned()),
            source_account: Some("123456789012".to_owned()),
            function_url_auth_type: Some("NONE".to_owned()),
            invoked_via_function_url: true,
            ..Permission::default()
        };
        assert_eq!(permission_of("orders", &statement), declared);
    }
}
