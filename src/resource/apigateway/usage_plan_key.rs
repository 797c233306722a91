//! `AWS::ApiGateway::UsagePlanKey`: an API key's place in a usage plan. Found by the two; nothing of it can change.

use serde::{Deserialize, Serialize};

use super::patch::write;
use crate::aws::error::{AwsError, During, ErrorClass, found, gone_is_fine};
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct ApiGatewayUsagePlanKey;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct UsagePlanKey {
    pub key_id: String,
    pub key_type: String,
    pub usage_plan_id: String,
}

impl Default for UsagePlanKey {
    fn default() -> Self {
        Self { key_id: String::new(), key_type: "API_KEY".to_owned(), usage_plan_id: String::new() }
    }
}

impl Handler for ApiGatewayUsagePlanKey {
    const TYPE: &'static str = "AWS::ApiGateway::UsagePlanKey";
    const FOUND_BY: &'static [&'static str] = &["KeyId", "UsagePlanId"];
    const PART_OF: &'static [&'static str] = &["KeyId", "UsagePlanId"];
    type Properties = UsagePlanKey;

    fn predict(_scope: &Scope, key: &UsagePlanKey) -> Attributes {
        attributes(&text_of(key))
    }

    async fn find(cx: &Context, _owner: &Owner, key: &UsagePlanKey) -> Result<Option<PhysicalId>, AwsError> {
        let id = PhysicalId::from(text_of(key));
        Ok(Self::read(cx, &id).await?.map(|_| id))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<UsagePlanKey>>, AwsError> {
        let (key, plan) = parts(id)?;
        let answer = cx.apigateway.get_usage_plan_key().usage_plan_id(plan).key_id(key).send().await;
        let Some(shown) = found("apigateway.GetUsagePlanKey", answer)? else { return Ok(None) };
        let key_type = shown.r#type.ok_or_else(|| AwsError::missing("apigateway.GetUsagePlanKey", "type"))?;
        let properties = UsagePlanKey { key_id: key.to_owned(), key_type, usage_plan_id: plan.to_owned() };
        Ok(Some(Live::unmarkable(properties, attributes(id.as_str()))))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        key: &UsagePlanKey,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        if left.is_none() {
            make(cx, key).await?;
        }
        let id = text_of(key);
        Ok(Made { attributes: attributes(&id), id: PhysicalId::from(id) })
    }

    async fn update(
        _cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        _key: &UsagePlanKey,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let (key, plan) = parts(id)?;
        let delete = cx.apigateway.delete_usage_plan_key().usage_plan_id(plan).key_id(key);
        let deleted = write(cx, plan, || async { delete.clone().send().await.during("apigateway.DeleteUsagePlanKey") });
        gone_is_fine(deleted.await)
    }
}

/// `a1b2c3:d4e5f6`, key before plan: what `Ref` gives.
fn text_of(key: &UsagePlanKey) -> String {
    format!("{}:{}", key.key_id, key.usage_plan_id)
}

fn parts(id: &PhysicalId) -> Result<(&str, &str), AwsError> {
    let message = || format!("`{id}` is not `KeyId:UsagePlanId`");
    let parts = id.as_str().split_once(':');
    parts.ok_or_else(|| AwsError::new("apigateway.GetUsagePlanKey", ErrorClass::Invalid, message()))
}

fn attributes(id: &str) -> Attributes {
    referred(id, [("Id", id.to_owned())])
}

async fn make(cx: &Context, key: &UsagePlanKey) -> Result<(), AwsError> {
    let create = cx.apigateway.create_usage_plan_key().usage_plan_id(&key.usage_plan_id);
    let create = create.key_id(&key.key_id).key_type(&key.key_type);
    let created =
        write(cx, &key.usage_plan_id, || async { create.clone().send().await.during("apigateway.CreateUsagePlanKey") });
    created.await.map(drop)
}
