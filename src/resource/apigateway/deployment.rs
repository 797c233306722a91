//! `AWS::ApiGateway::Deployment`: a snapshot of an API. Found by its owner's mark at the end of its description.
//!
//! What a snapshot holds cannot be read back. The digest of the API's content therefore comes with the properties, as
//! `ContentDigest`, and is kept in the mark; another digest is another deployment. See "API Gateway REST" in the behaviour notes.
//! A snapshot that is taken once more of the same content is told from the one before it by what stands in its digest after a `+`.
//!
//! A snapshot that somebody else took is not adopted: nobody can tell what is in it, and one of our own beside it takes nothing
//! away from it.

use std::fmt;

use aws_sdk_apigateway::types::{Deployment as Shown, RestApi};
use serde::{Deserialize, Serialize};

use super::patch::{self, write};
use super::{joined, parts};
use crate::aws::error::{AwsError, During, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::{LogicalId, PhysicalId, StackId};
use crate::resource::apigateway::stage::{self, ApiGatewayStage};
use crate::resource::tags;
use crate::resource::{Attributes, Handler, Live, Made, Mark, Owner, referred};

pub struct ApiGatewayDeployment;

/// The property that tells what a snapshot is of.
pub const CONTENT_DIGEST: &str = "ContentDigest";
/// Stands between the digest of a content and what tells apart the snapshots of it.
pub const ANEW: char = '+';

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct Deployment {
    pub rest_api_id: String,
    pub description: Option<String>,
    /// A stage that is made along with the snapshot, or moved to it. Its description says so.
    pub stage_name: Option<String>,
    /// What paystack says of the API's content, as hexadecimal digits. CloudFormation does not know it.
    pub content_digest: Option<String>,
}

impl Handler for ApiGatewayDeployment {
    const TYPE: &'static str = "AWS::ApiGateway::Deployment";
    const FOUND_BY: &'static [&'static str] = &["RestApiId"];
    const CREATES_ANOTHER: bool = true;
    const IS_UNIQUE: bool = false;
    const PART_OF: &'static [&'static str] = &["RestApiId"];
    const ALSO_CREATE_ONLY: &'static [&'static str] = &[CONTENT_DIGEST, "StageName"];
    const REFUSED: &'static [(&'static str, &'static str)] = &[
        ("StageDescription", "declare an `AWS::ApiGateway::Stage` with these settings"),
        ("DeploymentCanarySettings", "declare an `AWS::ApiGateway::Stage` with a `CanarySetting`"),
    ];
    type Properties = Deployment;

    fn complete(deployment: &mut Deployment) {
        deployment.description.take_if(|text| text.is_empty());
    }

    fn predict(_scope: &Scope, _deployment: &Deployment) -> Attributes {
        Attributes::new()
    }

    /// Of what another tool has deployed nobody can tell what is in it: whoever takes it over says that it is as declared.
    fn equate(live: &mut Deployment, wanted: &Deployment) {
        if live.content_digest.is_none() {
            live.stage_name.clone_from(&wanted.stage_name);
        }
        let is_taken_anew = |digest: &Option<String>| digest.as_ref().is_some_and(|digest| digest.contains(ANEW));
        let is_same = content(live.content_digest.as_deref()) == content(wanted.content_digest.as_deref());
        if live.content_digest.is_none() || is_same && !is_taken_anew(&wanted.content_digest) {
            live.content_digest.clone_from(&wanted.content_digest);
        }
    }

    async fn find(cx: &Context, owner: &Owner, deployment: &Deployment) -> Result<Option<PhysicalId>, AwsError> {
        let api = &deployment.rest_api_id;
        let found = newest(marked(cx, api).await?, owner, deployment.content_digest.as_deref());
        Ok(found.map(|id| physical_id(&id, api)))
    }

    async fn find_made(cx: &Context, owner: &Owner, deployment: &Deployment) -> Result<Option<PhysicalId>, AwsError> {
        let api = &deployment.rest_api_id;
        let wanted = description(owner, deployment);
        let same = marked(cx, api).await?.into_iter().find(|(description, _)| description.mark == wanted.mark);
        Ok(same.and_then(|(_, shown)| shown.id).map(|id| physical_id(&id, api)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<Deployment>>, AwsError> {
        let [deployment, api] = parts(id)?;
        let answer = cx.apigateway.get_deployment().rest_api_id(api).deployment_id(deployment).send().await;
        let Some(shown) = found("apigateway.GetDeployment", answer)? else { return Ok(None) };
        let Description { text, mark } = Description::parse(shown.description().unwrap_or_default());
        let (owner, content_digest, stage_name) =
            mark.map_or((None, None, None), |mark| (Some(mark.owner), mark.digest, mark.stage));
        let properties = Deployment { rest_api_id: api.to_owned(), description: text, stage_name, content_digest };
        Ok(Some(Live { properties, attributes: attributes(deployment), mark: Mark::Elsewhere(owner) }))
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        deployment: &Deployment,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let wanted = description(owner, deployment);
        let api = &deployment.rest_api_id;
        let same = match left {
            Some(_) => find_same(cx, api, &wanted).await?,
            None => None,
        };
        let id = match same {
            Some(id) => id,
            None => make(cx, api, &wanted).await?,
        };
        Ok(Made { attributes: attributes(&id), id: physical_id(&id, api) })
    }

    /// Only the description can change: the content stays what it was when the snapshot was taken, and so does its digest.
    async fn update(
        cx: &Context,
        owner: &Owner,
        id: &PhysicalId,
        deployment: &Deployment,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let [deployment_id, api] = parts(id)?;
        describe(cx, api, deployment_id, &description(owner, deployment)).await?;
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [deployment, api] = parts(id)?;
        delete_stage(cx, api, deployment).await?;
        let delete = cx.apigateway.delete_deployment().rest_api_id(api).deployment_id(deployment);
        // A stage that was moved or deleted a moment ago; one that stays does not pass.
        let is_in_use =
            |error: &AwsError| error.says("BadRequestException", "Active stages pointing to this deployment");
        let deleted = cx.while_passing(Patience::seconds(15), is_in_use, || {
            write(cx, api, || async { delete.clone().send().await.during("apigateway.DeleteDeployment") })
        });
        gone_is_fine(deleted.await)
    }

    /// Deployments of the stack's own APIs.
    async fn sweep(cx: &Context, stack: &StackId) -> Result<Vec<(Owner, PhysicalId)>, AwsError> {
        let pages = cx.apigateway.get_rest_apis().limit(500).into_paginator().items().send();
        let apis: Vec<RestApi> = pages.try_collect().await.during("apigateway.GetRestApis")?;
        let mut swept = Vec::new();
        for api in apis.iter().filter(|api| is_of(api, stack)).filter_map(RestApi::id) {
            for (description, shown) in marked(cx, api).await? {
                if let Some(owner) = description.owner().filter(|owner| owner.stack == *stack) {
                    swept.push((owner.clone(), physical_id(shown.id().unwrap_or_default(), api)));
                }
            }
        }
        Ok(swept)
    }
}

/// What a digest says of the content, whichever snapshot of it this is.
pub fn content(digest: Option<&str>) -> Option<&str> {
    digest.and_then(|digest| digest.split(ANEW).next())
}

fn is_of(api: &RestApi, stack: &StackId) -> bool {
    api.tags().and_then(|tags| tags.get(tags::STACK)).is_some_and(|name| name == stack.as_str())
}

fn physical_id(deployment: &str, api: &str) -> PhysicalId {
    joined([deployment, api])
}

fn attributes(deployment: &str) -> Attributes {
    referred(deployment, [("DeploymentId", deployment.to_owned())])
}

fn description(owner: &Owner, deployment: &Deployment) -> Description {
    let mark = OwnerMark {
        owner: owner.clone(),
        digest: deployment.content_digest.clone(),
        stage: deployment.stage_name.clone(),
    };
    Description { text: deployment.description.clone(), mark: Some(mark) }
}

/// The deployments of an API with what their descriptions say; none where the API is not there.
async fn marked(cx: &Context, api: &str) -> Result<Vec<(Description, Shown)>, AwsError> {
    let pages = cx.apigateway.get_deployments().rest_api_id(api).limit(500).into_paginator().items().send();
    let all: Result<Vec<Shown>, _> = pages.try_collect().await;
    let all = found("apigateway.GetDeployments", all)?.unwrap_or_default();
    Ok(all.into_iter().map(|shown| (Description::parse(shown.description().unwrap_or_default()), shown)).collect())
}

/// The owner's deployment. Of several, which an interrupted replacement leaves, the one with the wanted content, else the newest.
fn newest(candidates: Vec<(Description, Shown)>, owner: &Owner, digest: Option<&str>) -> Option<String> {
    let owned = candidates.into_iter().filter(|(description, _)| description.owner() == Some(owner));
    let is_anew = digest.is_some_and(|digest| digest.contains(ANEW));
    let best = owned.max_by_key(|(description, shown)| {
        let is_same = content(description.digest()) == content(digest);
        (is_same, is_anew && description.digest() == digest, shown.created_date.map(|date| date.secs()))
    });
    best.and_then(|(_, shown)| shown.id)
}

/// The deployment that a create before this one made, under the description that is wanted now. One of the same owner with
/// other content is the one that is being replaced.
async fn find_same(cx: &Context, api: &str, wanted: &Description) -> Result<Option<String>, AwsError> {
    let same = marked(cx, api).await?.into_iter().find(|(description, _)| description.mark == wanted.mark);
    let Some((description, Shown { id: Some(id), .. })) = same else { return Ok(None) };
    if description != *wanted {
        describe(cx, api, &id, wanted).await?;
    }
    Ok(Some(id))
}

async fn make(cx: &Context, api: &str, wanted: &Description) -> Result<String, AwsError> {
    let create = cx.apigateway.create_deployment().rest_api_id(api).description(wanted.to_string());
    let stage = wanted.mark.as_ref().and_then(|mark| mark.stage.clone());
    let create = create.set_stage_description(stage.is_some().then(|| MADE_ALONG.to_owned())).set_stage_name(stage);
    let answer = write(cx, api, || async { create.clone().send().await.during("apigateway.CreateDeployment") });
    answer.await?.id.ok_or_else(|| AwsError::missing("apigateway.CreateDeployment", "id"))
}

/// What the description of a stage says that was made along with a deployment, and that goes with it.
const MADE_ALONG: &str = "[paystack made this stage along with its deployment]";

/// Deletes the stage that was made along with a deployment, unless it was moved on to another one, or is somebody's by now.
async fn delete_stage(cx: &Context, api: &str, deployment: &str) -> Result<(), AwsError> {
    let get = cx.apigateway.get_deployment().rest_api_id(api).deployment_id(deployment).send().await;
    let Some(shown) = found("apigateway.GetDeployment", get)? else { return Ok(()) };
    let mark = Description::parse(shown.description().unwrap_or_default()).mark;
    let Some(stage) = mark.and_then(|mark| mark.stage) else { return Ok(()) };
    let id = joined([api, &stage]);
    let Some(live) = stage::show(cx, &id).await? else { return Ok(()) };
    if live.deployment_id() != Some(deployment) || live.description() != Some(MADE_ALONG) {
        return Ok(());
    }
    ApiGatewayStage::delete(cx, &id).await
}

async fn describe(cx: &Context, api: &str, deployment: &str, wanted: &Description) -> Result<(), AwsError> {
    let update = cx.apigateway.update_deployment().rest_api_id(api).deployment_id(deployment);
    let update = update.patch_operations(patch::replace("/description", wanted));
    write(cx, api, || async { update.clone().send().await.during("apigateway.UpdateDeployment") }).await.map(drop)
}

/// A deployment's description: the template's text, and whose the deployment is and of which content.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Description {
    text: Option<String>,
    mark: Option<OwnerMark>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct OwnerMark {
    owner: Owner,
    digest: Option<String>,
    /// The stage that was made along with the deployment.
    stage: Option<String>,
}

impl Description {
    fn owner(&self) -> Option<&Owner> {
        self.mark.as_ref().map(|mark| &mark.owner)
    }

    fn digest(&self) -> Option<&str> {
        self.mark.as_ref()?.digest.as_deref()
    }

    fn parse(description: &str) -> Self {
        let marked = description.rfind(OPENING).and_then(|start| {
            let mark = OwnerMark::parse(description[start..].strip_prefix(OPENING)?.strip_suffix(CLOSING)?)?;
            Some((description[..start].trim_end(), mark))
        });
        let (text, mark) = marked.map_or((description, None), |(text, mark)| (text, Some(mark)));
        Self { text: Some(text.to_owned()).filter(|text| !text.is_empty()), mark }
    }
}

const OPENING: &str = "[paystack ";
const CLOSING: &str = "]";

impl OwnerMark {
    fn parse(mark: &str) -> Option<Self> {
        let (mark, stage) = mark.split_once(" stage:").map_or((mark, None), |(mark, stage)| (mark, Some(stage)));
        let (owner, digest) = mark.split_once(" sha256:").map_or((mark, None), |(owner, digest)| (owner, Some(digest)));
        let (stack, resource) = owner.split_once('/')?;
        let owner = Owner { stack: StackId::from(stack), resource: LogicalId::from(resource) };
        Some(Self { owner, digest: digest.map(str::to_owned), stage: stage.map(str::to_owned) })
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, mark } = self;
        let text = text.as_deref().unwrap_or_default();
        let Some(OwnerMark { owner: Owner { stack, resource }, digest, stage }) = mark else {
            return f.write_str(text);
        };
        let digest = digest.as_ref().map(|digest| format!(" sha256:{digest}")).unwrap_or_default();
        let stage = stage.as_ref().map(|stage| format!(" stage:{stage}")).unwrap_or_default();
        let space = if text.is_empty() { "" } else { " " };
        write!(f, "{text}{space}{OPENING}{stack}/{resource}{digest}{stage}{CLOSING}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: Option<&str>, digest: Option<&str>) -> Description {
        let owner = Owner { stack: StackId::from("payments-dev"), resource: LogicalId::from("ApiDeployment") };
        let mark = OwnerMark { owner, digest: digest.map(str::to_owned), stage: None };
        Description { text: text.map(str::to_owned), mark: Some(mark) }
    }

    #[test]
    fn a_description_says_whose_the_deployment_is_and_of_which_content() {
        let description = marked(Some("First [draft]"), Some("abcdef"));
        assert_eq!(description.to_string(), "First [draft] [paystack payments-dev/ApiDeployment sha256:abcdef]");
        assert_eq!(Description::parse(&description.to_string()), description);
    }

    #[test]
    fn a_description_names_the_stage_that_was_made_along() {
        let mut description = marked(None, Some("abcdef"));
        if let Some(mark) = &mut description.mark {
            mark.stage = Some("Stage".to_owned());
        }
        assert_eq!(description.to_string(), "[paystack payments-dev/ApiDeployment sha256:abcdef stage:Stage]");
        assert_eq!(Description::parse(&description.to_string()), description);
    }

    #[test]
    fn text_and_digest_may_be_left_out() {
        let description = marked(None, None);
        assert_eq!(description.to_string(), "[paystack payments-dev/ApiDeployment]");
        assert_eq!(Description::parse(&description.to_string()), description);
    }

    #[test]
    fn of_several_deployments_the_wanted_content_is_found_first_and_then_the_newest() {
        let shown = |id: &str, digest, seconds| {
            let created = aws_smithy_types::DateTime::from_secs(seconds);
            (marked(None, Some(digest)), Shown::builder().id(id).created_date(created).build())
        };
        let stranger = (Description::parse("[paystack payments-dev/Other sha256:c]"), Shown::builder().id("x").build());
        let all = vec![shown("old", "a", 1), shown("new", "b", 3), shown("between", "c", 2), stranger];
        let owner = marked(None, None).owner().cloned().expect("an owner");
        assert_eq!(newest(all.clone(), &owner, Some("a")).as_deref(), Some("old"));
        assert_eq!(newest(all, &owner, Some("not there")).as_deref(), Some("new"));
    }

    #[test]
    fn a_description_of_somebody_elses_is_all_text() {
        for text in ["Deployed by hand", "[paystack]", "[paystack who knows]", "[paystack a/B] and more"] {
            assert_eq!(Description::parse(text), Description { text: Some(text.to_owned()), mark: None });
        }
    }
}
