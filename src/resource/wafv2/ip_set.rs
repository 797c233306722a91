//! `AWS::WAFv2::IPSet`. Found by name, which is unique in its scope. Name, scope and version of addresses replace it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aws_sdk_wafv2::types as sdk;
use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, absent_is_none, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::tags::Tags;
use crate::resource::wafv2::{
    Identity, WRITING, described, find_in_pages, lets_go, passes, scope_here, sync_tags, tags_of, tags_to_sdk,
    with_lock,
};
use crate::resource::{Attributes, GeneratedName, Handler, Live, Made, Owner, referred};

pub struct Wafv2IpSet;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct IpSet {
    pub name: Option<String>,
    pub scope: String,
    pub description: Option<String>,
    #[serde(rename = "IPAddressVersion")]
    pub ip_address_version: String,
    pub addresses: BTreeSet<Network>,
    #[serde(default)]
    pub tags: Tags,
}

impl Handler for Wafv2IpSet {
    const TYPE: &'static str = "AWS::WAFv2::IPSet";
    const FOUND_BY: &'static [&'static str] = &["Name", "Scope"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("Name", 128));
    const ALSO_CREATE_ONLY: &'static [&'static str] = &["IPAddressVersion"];
    const TAGGED_AS: Option<&'static str> = Some("wafv2");
    type Properties = IpSet;

    fn complete(set: &mut IpSet) {
        set.description = described(set.description.take());
    }

    fn predict(_scope: &Scope, _set: &IpSet) -> Attributes {
        // The service's own id is part of everything.
        Attributes::new()
    }

    async fn find(cx: &Context, _owner: &Owner, set: &IpSet) -> Result<Option<PhysicalId>, AwsError> {
        const LIST: &str = "wafv2.ListIPSets";
        let scope = scope_here(&set.scope, &cx.scope, LIST)?;
        let list = cx.wafv2.list_ip_sets().scope(scope.clone()).limit(100);
        let found = find_in_pages(set.name.as_deref(), scope, LIST, |marker| async {
            let answer = list.clone().set_next_marker(marker).send().await.during(LIST)?;
            let summaries = answer.ip_sets.unwrap_or_default().into_iter();
            Ok((summaries.map(|summary| (summary.name, summary.id)).collect(), answer.next_marker))
        })
        .await?;
        Ok(found.map(|identity| identity.physical_id()))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<IpSet>>, AwsError> {
        let identity = Identity::parse(id, &cx.scope, GET)?;
        let Some((set, _)) = look(cx, &identity).await? else { return Ok(None) };
        let Some(tags) = absent_is_none(tags_of(cx, &set.arn).await)? else { return Ok(None) };
        let set = IpSet {
            name: Some(set.name),
            scope: identity.scope.as_str().to_owned(),
            description: set.description,
            ip_address_version: set.ip_address_version.as_str().to_owned(),
            addresses: set.addresses.into_iter().map(Network::from).collect(),
            tags,
        };
        Ok(Some(Live::tagged(set, attributes_of(&identity, &cx.scope))))
    }

    async fn create(cx: &Context, _owner: &Owner, set: &IpSet, left: Option<PhysicalId>) -> Result<Made, AwsError> {
        let id = match left {
            Some(id) => id,
            None => make(cx, set).await?,
        };
        let identity = Identity::parse(&id, &cx.scope, GET)?;
        cx.until(GET, "the new IP set to show", Patience::seconds(60), || async {
            Ok(look(cx, &identity).await?.map(drop))
        })
        .await?;
        Ok(Made { id, attributes: attributes_of(&identity, &cx.scope) })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        set: &IpSet,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        let identity = Identity::parse(id, &cx.scope, "wafv2.UpdateIPSet")?;
        if changes.touch_any(&["Addresses", "Description"]) {
            with_lock(cx, passes, || replace(cx, &identity, set)).await?;
        }
        if changes.touch("Tags") {
            sync_tags(cx, &identity.arn(&cx.scope, KIND), &set.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let identity = Identity::parse(id, &cx.scope, "wafv2.DeleteIPSet")?;
        with_lock(cx, lets_go, || remove(cx, &identity)).await?;
        cx.until(GET, "the IP set to be gone", Patience::seconds(60), || async {
            Ok(look(cx, &identity).await?.is_none().then_some(()))
        })
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        Ok(Identity::of_arn(arn, &cx.scope, KIND).map(|identity| identity.physical_id()))
    }
}

const GET: &str = "wafv2.GetIPSet";
const KIND: &str = "ipset";

/// The set as it is now, with the lock token that a write of it takes.
async fn look(cx: &Context, identity: &Identity) -> Result<Option<(sdk::IpSet, String)>, AwsError> {
    let get = cx.wafv2.get_ip_set().name(&identity.name).id(&identity.id).scope(identity.scope.clone());
    let Some(answer) = found(GET, get.send().await)? else { return Ok(None) };
    let set = answer.ip_set.ok_or_else(|| AwsError::missing(GET, "IPSet"))?;
    Ok(Some((set, answer.lock_token.ok_or_else(|| AwsError::missing(GET, "LockToken"))?)))
}

async fn make(cx: &Context, set: &IpSet) -> Result<PhysicalId, AwsError> {
    const CREATE: &str = "wafv2.CreateIPSet";
    let scope = scope_here(&set.scope, &cx.scope, CREATE)?;
    let create = cx.wafv2.create_ip_set().set_name(set.name.clone()).scope(scope.clone());
    let create = create.set_description(set.description.clone()).set_tags(tags_to_sdk(&set.tags));
    let create = create.ip_address_version(set.ip_address_version.as_str().into()).set_addresses(Some(texts(set)));
    let answer = cx.while_passing(WRITING, passes, || async { create.clone().send().await.during(CREATE) }).await?;
    let summary = answer.summary.ok_or_else(|| AwsError::missing(CREATE, "Summary"))?;
    Identity::of_summary((summary.name, summary.id), scope, CREATE).map(|identity| identity.physical_id())
}

async fn replace(cx: &Context, identity: &Identity, set: &IpSet) -> Result<(), AwsError> {
    const UPDATE: &str = "wafv2.UpdateIPSet";
    let Some((_, lock_token)) = look(cx, identity).await? else {
        return Err(identity.gone("IP set", UPDATE));
    };
    let update = cx.wafv2.update_ip_set().name(&identity.name).id(&identity.id).scope(identity.scope.clone());
    let update = update.set_description(set.description.clone()).set_addresses(Some(texts(set)));
    update.lock_token(lock_token).send().await.during(UPDATE).map(drop)
}

async fn remove(cx: &Context, identity: &Identity) -> Result<(), AwsError> {
    let Some((_, lock_token)) = look(cx, identity).await? else { return Ok(()) };
    let delete = cx.wafv2.delete_ip_set().name(&identity.name).id(&identity.id).scope(identity.scope.clone());
    gone_is_fine(delete.lock_token(lock_token).send().await.during("wafv2.DeleteIPSet"))
}

fn texts(set: &IpSet) -> Vec<String> {
    set.addresses.iter().map(|network| network.0.clone()).collect()
}

fn attributes_of(identity: &Identity, here: &Scope) -> Attributes {
    referred(identity.physical_id().as_str(), [("Arn", identity.arn(here, KIND)), ("Id", identity.id.clone())])
}

/// A network as WAF writes it back: without host bits, IPv6 compressed. What is no network stays the text it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Network(String);

impl From<String> for Network {
    fn from(text: String) -> Self {
        Self(canonical(&text).unwrap_or(text))
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.0
    }
}

fn canonical(text: &str) -> Option<String> {
    let (address, bits) = text.trim().split_once('/')?;
    let bits: u32 = bits.parse().ok()?;
    let network = match address.parse().ok()? {
        IpAddr::V4(address) => {
            let host = u32::MAX.checked_shr(bits).unwrap_or(0);
            (bits <= 32).then(|| IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & !host)))?
        }
        IpAddr::V6(address) => {
            let host = u128::MAX.checked_shr(bits).unwrap_or(0);
            (bits <= 128).then(|| IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !host)))?
        }
    };
    Some(format!("{network}/{bits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        Network::from(text.to_owned()).into()
    }

    #[test]
    fn networks_are_compared_without_host_bits_and_spelling() {
        assert_eq!(written("192.0.2.44/24"), "192.0.2.0/24");
        assert_eq!(written("192.0.2.44/32"), "192.0.2.44/32");
        assert_eq!(written("10.1.2.3/0"), "0.0.0.0/0");
        assert_eq!(written("2001:0DB8:0:0:0:0:0:1/64"), "2001:db8::/64");
        assert_eq!(written("2001:db8::1/128"), "2001:db8::1/128");
    }

    #[test]
    fn what_is_no_network_stays_as_it_is() {
        for text in ["", "192.0.2.44", "192.0.2.44/33", "2001:db8::/129", "\u{1}Office.Address\u{1}/32", "/", "x/y"] {
            assert_eq!(written(text), text);
        }
    }
}
