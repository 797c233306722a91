//! `AWS::WAFv2::WebACLAssociation`. Found by its two ends, which are all it has: any change replaces it.
//!
//! A resource has one web ACL, and associating another takes its place without a word. So an association is there while
//! the resource has the web ACL of its identifier. With another one, it is gone: the plan makes it anew, and a delete of
//! it leaves the other alone.

use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, ErrorClass, found, gone_is_fine};
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::wafv2::{WRITING, once_visible, passes};
use crate::resource::{Attributes, Handler, Live, Made, Owner, referred};

pub struct Wafv2WebAclAssociation;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct WebAclAssociation {
    pub resource_arn: String,
    #[serde(rename = "WebACLArn")]
    pub web_acl_arn: String,
}

impl WebAclAssociation {
    fn physical_id(&self) -> PhysicalId {
        PhysicalId::from(format!("{}|{}", self.resource_arn, self.web_acl_arn))
    }

    fn parse(id: &PhysicalId, operation: &'static str) -> Result<Self, AwsError> {
        let Some((resource_arn, web_acl_arn)) = id.as_str().split_once('|') else {
            let message = format!("`{id}` is no identifier of the form `ResourceArn|WebACLArn`");
            return Err(AwsError::new(operation, ErrorClass::Invalid, message));
        };
        Ok(Self { resource_arn: resource_arn.to_owned(), web_acl_arn: web_acl_arn.to_owned() })
    }

    fn attributes(&self) -> Attributes {
        referred(self.physical_id().as_str(), [])
    }
}

impl Handler for Wafv2WebAclAssociation {
    const TYPE: &'static str = "AWS::WAFv2::WebACLAssociation";
    const FOUND_BY: &'static [&'static str] = &["ResourceArn", "WebACLArn"];
    const PART_OF: &'static [&'static str] = &["ResourceArn"];
    type Properties = WebAclAssociation;

    fn predict(_scope: &Scope, association: &WebAclAssociation) -> Attributes {
        association.attributes()
    }

    async fn find(
        cx: &Context,
        _owner: &Owner,
        association: &WebAclAssociation,
    ) -> Result<Option<PhysicalId>, AwsError> {
        Ok(is_there(cx, association).await?.then(|| association.physical_id()))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<WebAclAssociation>>, AwsError> {
        let association = WebAclAssociation::parse(id, GET)?;
        if !is_there(cx, &association).await? {
            return Ok(None);
        }
        let attributes = association.attributes();
        Ok(Some(Live::unmarkable(association, attributes)))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        association: &WebAclAssociation,
        _left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let associate = cx.wafv2.associate_web_acl();
        let associate = associate.resource_arn(&association.resource_arn).web_acl_arn(&association.web_acl_arn);
        let associate = || async { associate.clone().send().await.during("wafv2.AssociateWebACL") };
        once_visible(cx, || cx.while_passing(WRITING, passes, associate)).await?;
        cx.until_everywhere(GET, "the web ACL to show on its resource", 300, || is_there(cx, association)).await?;
        Ok(Made { id: association.physical_id(), attributes: association.attributes() })
    }

    async fn update(
        _cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        _association: &WebAclAssociation,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let association = WebAclAssociation::parse(id, "wafv2.DisassociateWebACL")?;
        if !is_there(cx, &association).await? {
            return Ok(());
        }
        let disassociate = cx.wafv2.disassociate_web_acl().resource_arn(&association.resource_arn);
        gone_is_fine(
            cx.while_passing(WRITING, passes, || async {
                disassociate.clone().send().await.during("wafv2.DisassociateWebACL")
            })
            .await,
        )?;
        cx.until_everywhere(GET, "the web ACL to leave its resource", 300, || async {
            Ok(!is_there(cx, &association).await?)
        })
        .await
    }
}

const GET: &str = "wafv2.GetWebACLForResource";

/// Whether the resource has just this web ACL. A resource that is gone has none.
async fn is_there(cx: &Context, association: &WebAclAssociation) -> Result<bool, AwsError> {
    let get = cx.wafv2.get_web_acl_for_resource().resource_arn(&association.resource_arn);
    let ask =
        || async { Ok(found(GET, get.send().await)?.and_then(|answer| answer.web_acl).map(|web_acl| web_acl.arn)) };
    let web_acl = cx.once(GET, &association.resource_arn, ask).await?;
    Ok(web_acl.as_ref() == Some(&association.web_acl_arn))
}
