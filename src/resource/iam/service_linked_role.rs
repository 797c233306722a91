//! `AWS::IAM::ServiceLinkedRole`: the role that a service makes for itself. Found by the path that names the service, and the
//! suffix, which replace it. It takes no mark: one that is there is the template's.
//!
//! Deleting is a task of IAM's that ends when the service says that nothing of it uses the role.

use aws_sdk_iam::types::{DeletionTaskStatusType as Status, Role};
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, ErrorClass, absent_is_none, found};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::iam::{PROPAGATION, write};
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct IamServiceLinkedRole;

/// The template's names and shapes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct ServiceLinkedRole {
    #[serde(rename = "AWSServiceName")]
    pub aws_service_name: Option<String>,
    pub custom_suffix: Option<String>,
    pub description: Option<String>,
}

impl Handler for IamServiceLinkedRole {
    const TYPE: &'static str = "AWS::IAM::ServiceLinkedRole";
    const FOUND_BY: &'static [&'static str] = &["AWSServiceName", "CustomSuffix"];
    type Properties = ServiceLinkedRole;

    fn complete(role: &mut ServiceLinkedRole) {
        role.custom_suffix.take_if(|suffix| suffix.is_empty());
        role.description.take_if(|text| text.is_empty());
    }

    /// The role's name is the service's to give.
    fn predict(_scope: &Scope, _role: &ServiceLinkedRole) -> Attributes {
        Attributes::new()
    }

    /// Some services describe their roles by themselves.
    fn equate(live: &mut ServiceLinkedRole, wanted: &ServiceLinkedRole) {
        if wanted.description.is_none() {
            live.description = None;
        }
    }

    async fn find(cx: &Context, _owner: &Owner, role: &ServiceLinkedRole) -> Result<Option<PhysicalId>, AwsError> {
        let service = role.aws_service_name.as_deref().unwrap_or_default();
        let list = cx.iam.list_roles().path_prefix(format!("{PATH}{service}/")).into_paginator().items().send();
        let roles = list.collect::<Result<Vec<_>, _>>().await.during("iam.ListRoles")?;
        let same = roles.into_iter().find(|it| properties_of(it).custom_suffix == role.custom_suffix);
        Ok(same.map(|role| PhysicalId::from(role.role_name)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<ServiceLinkedRole>>, AwsError> {
        let role = get(cx, id.as_str()).await?;
        Ok(role.map(|role| Live::unmarkable(properties_of(&role), attributes_of(&role.role_name))))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        role: &ServiceLinkedRole,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = match left {
            Some(id) => id,
            None => make(cx, role).await?,
        };
        cx.until("iam.GetRole", "the new role to show", PROPAGATION, || get(cx, id.as_str())).await?;
        Ok(Made { attributes: attributes_of(id.as_str()), id })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        role: &ServiceLinkedRole,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        if changes.touch("Description") {
            let update = cx.iam.update_role().role_name(id.as_str());
            let update = update.description(role.description.as_deref().unwrap_or_default());
            write(cx, || async { update.clone().send().await.during("iam.UpdateRole") }).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        const STATUS: &str = "iam.GetServiceLinkedRoleDeletionStatus";
        let delete = cx.iam.delete_service_linked_role().role_name(id.as_str());
        let call = || async { delete.clone().send().await.during("iam.DeleteServiceLinkedRole") };
        let Some(answer) = absent_is_none(write(cx, call).await)? else { return Ok(()) };
        cx.until(STATUS, "the service to let go of its role", Patience::minutes(300), || async {
            let get = cx.iam.get_service_linked_role_deletion_status().deletion_task_id(&answer.deletion_task_id);
            let answer = get.send().await.during(STATUS)?;
            match answer.status {
                Status::Succeeded => Ok(Some(())),
                Status::Failed => {
                    let reason = answer.reason.and_then(|reason| reason.reason).unwrap_or_default();
                    let message = format!("the service still uses its role `{id}`: {reason}");
                    Err(AwsError::new(STATUS, ErrorClass::Invalid, message))
                }
                _ => Ok(None),
            }
        })
        .await?;
        let is_gone = || async { Ok(get(cx, id.as_str()).await?.is_none().then_some(())) };
        cx.until("iam.GetRole", "the role to be gone", PROPAGATION, is_gone).await
    }
}

/// Below this path every service has one of its own.
const PATH: &str = "/aws-service-role/";

/// Path and name say what the role was made from: `/aws-service-role/lex.amazonaws.com/AWSServiceRoleForLexBots_suffix`.
fn properties_of(role: &Role) -> ServiceLinkedRole {
    let service = role.path.strip_prefix(PATH).map(|path| path.trim_end_matches('/').to_owned());
    ServiceLinkedRole {
        aws_service_name: service,
        custom_suffix: role.role_name.split_once('_').map(|(_, suffix)| suffix.to_owned()),
        description: role.description.clone(),
    }
}

async fn make(cx: &Context, role: &ServiceLinkedRole) -> Result<PhysicalId, AwsError> {
    const CREATE: &str = "iam.CreateServiceLinkedRole";
    let create = cx.iam.create_service_linked_role().set_aws_service_name(role.aws_service_name.clone());
    let create = create.set_custom_suffix(role.custom_suffix.clone()).set_description(role.description.clone());
    let answer = write(cx, || async { create.clone().send().await.during(CREATE) }).await?;
    let role = answer.role.ok_or_else(|| AwsError::missing(CREATE, "Role"))?;
    Ok(PhysicalId::from(role.role_name))
}

async fn get(cx: &Context, name: &str) -> Result<Option<Role>, AwsError> {
    Ok(found("iam.GetRole", cx.iam.get_role().role_name(name).send().await)?.and_then(|answer| answer.role))
}

fn attributes_of(name: &str) -> Attributes {
    referred(name, [("RoleName", name.to_owned())])
}
