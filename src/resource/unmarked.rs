//! The names of what a stack could leave in an account without its marks: what types make that carry none, and what AWS makes
//! by itself. Lists that every stack needs anyway, so that they ask for no further permission.

use std::collections::BTreeSet;

use aws_sdk_iam::types::{EntityType, PolicyScopeType};
use futures::future::{LocalBoxFuture, join_all};

use crate::aws::Context;
use crate::aws::error::{AwsError, During};
use crate::plan::residue::Names;
use crate::resource::logs::resource_policy;

/// How many names of a kind are kept: beyond, comparing them says nothing any more, and nothing further is listed.
const MOST: usize = 5_000;

type Listing<'a> = LocalBoxFuture<'a, Result<BTreeSet<String>, AwsError>>;

/// All names, by kind. A kind that cannot be listed is left out: what it would tell is worth no failure.
pub async fn names(cx: &Context) -> Names {
    let kinds: [(&str, Listing<'_>); 9] = [
        ("API", Box::pin(apis(cx))),
        ("dashboard", Box::pin(dashboards(cx))),
        ("instance profile", Box::pin(instance_profiles(cx))),
        ("layer", Box::pin(layers(cx))),
        ("log group", Box::pin(log_groups(cx))),
        ("policy", Box::pin(policies(cx))),
        ("query definition", Box::pin(query_definitions(cx))),
        ("resource policy of logs", Box::pin(resource_policies(cx))),
        ("role", Box::pin(roles(cx))),
    ];
    let listed = kinds.map(|(kind, listing)| async move { (kind.to_owned(), listing.await) });
    let known = join_all(listed).await.into_iter().filter_map(|(kind, names)| Some((kind, names.ok()?)));
    known.filter(|(_, names)| names.len() <= MOST).collect()
}

/// What there is, or one more than is kept.
async fn up_to_most<T, E>(mut next: impl AsyncFnMut() -> Option<Result<T, E>>) -> Result<Vec<T>, E> {
    let mut all = Vec::new();
    while all.len() <= MOST
        && let Some(item) = next().await
    {
        all.push(item?);
    }
    Ok(all)
}

async fn apis(cx: &Context) -> Result<BTreeSet<String>, AwsError> {
    let mut apis = cx.apigateway.get_rest_apis().limit(500).into_paginator().items().send();
    let apis = up_to_most(async || apis.next().await).await.during("apigateway.GetRestApis")?;
    let name = |id: String, name: Option<String>| format!("{id} ({})", name.unwrap_or_default());
    Ok(apis.into_iter().filter_map(|api| Some(name(api.id?, api.name))).collect())
}

async fn dashboards(cx: &Context) -> Result<BTreeSet<String>, AwsError> {
    let mut entries = cx.cloudwatch.list_dashboards().into_paginator().items().send();
    let entries = up_to_most(async || entries.next().await).await.during("cloudwatch.ListDashboards")?;
    Ok(entries.into_iter().filter_map(|entry| entry.dashboard_name).collect())
}

async fn instance_profiles(cx: &Context) -> Result<BTreeSet<String>, AwsError> {
    let mut profiles = cx.iam.list_instance_profiles().into_paginator().items().send();
    let profiles = up_to_most(async || profiles.next().await).await.during("iam.ListInstanceProfiles")?;
    Ok(profiles.into_iter().map(|profile| profile.instance_profile_name).collect())
}

async fn layers(cx: &Context) -> Result<BTreeSet<String>, AwsError> {
    let mut layers = cx.lambda.list_layers().into_paginator().items().send();
    let layers = up_to_most(async || layers.next().await).await.during("lambda.ListLayers")?;
    Ok(layers.into_iter().filter_map(|layer| layer.layer_name).collect())
}

async fn log_groups(cx: &Context) -> Result<BTreeSet<String>, AwsError> {
    let mut groups = cx.logs.describe_log_groups().into_paginator().items().send();
    let groups = up_to_most(async || groups.next().await).await.during("logs.DescribeLogGroups")?;
    Ok(groups.into_iter().filter_map(|group| group.log_group_name).collect())
}

async fn policies(cx: &Context) -> Result<BTreeSet<String>, AwsError> {
    let mut policies = cx.iam.list_policies().scope(PolicyScopeType::Local).into_paginator().items().send();
    let policies = up_to_most(async || policies.next().await).await.during("iam.ListPolicies")?;
    Ok(policies.into_iter().filter_map(|policy| policy.policy_name).collect())
}

async fn query_definitions(cx: &Context) -> Result<BTreeSet<String>, AwsError> {
    let (mut names, mut next_token) = (BTreeSet::new(), None);
    loop {
        let describe = cx.logs.describe_query_definitions().max_results(1000).set_next_token(next_token);
        let page = describe.send().await.during("logs.DescribeQueryDefinitions")?;
        names.extend(page.query_definitions.unwrap_or_default().into_iter().filter_map(|it| it.name));
        next_token = page.next_token.filter(|token| !token.is_empty());
        if next_token.is_none() || names.len() > MOST {
            return Ok(names);
        }
    }
}

async fn resource_policies(cx: &Context) -> Result<BTreeSet<String>, AwsError> {
    Ok(resource_policy::listed(cx).await?.iter().filter_map(|policy| policy.policy_name.clone()).collect())
}

async fn roles(cx: &Context) -> Result<BTreeSet<String>, AwsError> {
    let list = cx.iam.get_account_authorization_details().filter(EntityType::Role).max_items(1000);
    let mut pages = list.into_paginator().send();
    let mut names = BTreeSet::new();
    while names.len() <= MOST
        && let Some(page) = pages.try_next().await.during("iam.GetAccountAuthorizationDetails")?
    {
        names.extend(page.role_detail_list.unwrap_or_default().into_iter().filter_map(|role| role.role_name));
    }
    Ok(names)
}
