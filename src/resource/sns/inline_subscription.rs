//! The property `Subscription` of a topic.
//!
//! Subscriptions of a topic do not say which template wrote them. Those that stand in the topic's own properties are named in a
//! tag of the topic, by digests; all others belong to resources of type `AWS::SNS::Subscription`, or to somebody else, and are
//! left alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::aws::Context;
use crate::aws::error::{AwsError, During, ErrorClass, gone_is_fine};
use crate::digest::hex_digest;
use crate::resource::sns::{PENDING, subscriptions_of, sync_tags, tags_of};
use crate::resource::tags::Tags;

/// A subscription that stands in the topic's own properties.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct InlineSubscription {
    pub endpoint: String,
    pub protocol: String,
}

/// The tag that tells the subscriptions of the property `Subscription` from all others.
const TAG: &str = "paystack:subscriptions";
/// How many digests fit into the value of a tag.
const MOST: usize = 256 / DIGEST_LENGTH;
const DIGEST_LENGTH: usize = 8;

impl InlineSubscription {
    /// Whether somebody has to confirm it: people and web servers do, and what is in another account.
    fn waits_for_confirmation(&self, topic: &str) -> bool {
        let account = |arn: &str| arn.split(':').nth(4).map(str::to_owned);
        let is_elsewhere = self.endpoint.starts_with("arn:") && account(&self.endpoint) != account(topic);
        is_elsewhere || ["email", "email-json", "http", "https"].contains(&self.protocol.as_str())
    }

    fn digest(&self) -> String {
        hex_digest(format!("{}\n{}", self.protocol, self.endpoint), DIGEST_LENGTH)
    }
}

/// Names these subscriptions in the topic's tags, and no others.
pub(super) fn name_in(tags: &mut Tags, subscriptions: &BTreeSet<InlineSubscription>) {
    let digests: String = subscriptions.iter().map(InlineSubscription::digest).collect();
    if digests.is_empty() {
        tags.0.remove(TAG);
    } else {
        tags.0.insert(TAG.to_owned(), digests);
    }
}

/// Takes the tag that names subscriptions out of the topic's tags, and reads those that it names.
pub(super) async fn read(cx: &Context, topic: &str, tags: &mut Tags) -> Result<BTreeSet<InlineSubscription>, AwsError> {
    Ok(named_in(cx, topic, tags.0.remove(TAG)).await?.into_keys().collect())
}

/// Subscribes and unsubscribes what differs, and names in the topic's tags what it has now.
pub(super) async fn sync(cx: &Context, topic: &str, wanted: &BTreeSet<InlineSubscription>) -> Result<(), AwsError> {
    if wanted.len() > MOST {
        let message = format!(
            "`Subscription` takes at most {MOST} entries here, not {}: write them as resources of type `AWS::SNS::Subscription`",
            wanted.len()
        );
        return Err(AwsError::new("sns.Subscribe", ErrorClass::Invalid, message));
    }
    let mut tags = tags_of(cx, topic).await?.unwrap_or_default();
    let live = named_in(cx, topic, tags.0.remove(TAG)).await?;
    for it in wanted.iter().filter(|it| !live.contains_key(it)) {
        let subscribe = cx.sns.subscribe().topic_arn(topic).protocol(&it.protocol).endpoint(&it.endpoint);
        subscribe.return_subscription_arn(true).send().await.during("sns.Subscribe")?;
    }
    // One that nobody confirmed cannot be taken back, and lapses by itself.
    for (_, arn) in live.iter().filter(|(it, arn)| !wanted.contains(it) && arn.as_str() != PENDING) {
        gone_is_fine(cx.sns.unsubscribe().subscription_arn(arn).send().await.during("sns.Unsubscribe"))?;
    }
    name_in(&mut tags, wanted);
    sync_tags(cx, topic, &tags).await
}

/// The calls that [`sync`] makes, where those that its tag names are all there. `None` where one goes that may never have been
/// confirmed: only AWS can say whether it can be taken back.
pub(super) fn updating(
    topic: &str,
    live: &BTreeSet<InlineSubscription>,
    wanted: &BTreeSet<InlineSubscription>,
) -> Option<Vec<&'static str>> {
    let gone = live.difference(wanted);
    if gone.clone().any(|it| it.waits_for_confirmation(topic)) {
        return None;
    }
    let mut calls = vec!["sns.ListTagsForResource", "sns.ListTagsForResource"];
    calls.extend((!live.is_empty()).then_some("sns.ListSubscriptionsByTopic"));
    calls.extend(wanted.difference(live).map(|_| "sns.Subscribe"));
    calls.extend(gone.map(|_| "sns.Unsubscribe"));
    calls.push(if wanted.is_empty() { "sns.UntagResource" } else { "sns.TagResource" });
    Some(calls)
}

/// The subscriptions that these digests name, with what the service says for their ARNs.
async fn named_in(
    cx: &Context,
    topic: &str,
    digests: Option<String>,
) -> Result<BTreeMap<InlineSubscription, String>, AwsError> {
    let Some(digests) = digests else { return Ok(BTreeMap::new()) };
    let named: BTreeSet<&[u8]> = digests.as_bytes().chunks(DIGEST_LENGTH).collect();
    let listed = subscriptions_of(cx, topic).await?;
    let all = listed.iter().cloned().filter_map(|it| {
        let subscription = InlineSubscription { endpoint: it.endpoint?, protocol: it.protocol? };
        Some((subscription, it.subscription_arn?))
    });
    Ok(all.filter(|(it, _)| named.contains(it.digest().as_bytes())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_is_told_apart_by_protocol_and_endpoint() {
        let one = InlineSubscription { protocol: "email".to_owned(), endpoint: "a@example.org".to_owned() };
        let other = InlineSubscription { protocol: "email-json".to_owned(), ..one.clone() };
        assert_ne!(one.digest(), other.digest());
        let mut tags = Tags::default();
        name_in(&mut tags, &(0..MOST).map(|n| InlineSubscription { endpoint: n.to_string(), ..one.clone() }).collect());
        assert_eq!(tags.0[TAG].len(), 256, "as many digests as the value of a tag can hold");
        name_in(&mut tags, &BTreeSet::new());
        assert_eq!(tags, Tags::default());
    }
}
